"""Weights & Biases: a run in the sweep's group, under the run's own id; offline where no key is configured.

Its settings are W&B's own: WANDB_PROJECT, WANDB_ENTITY, WANDB_MODE, WANDB_DIR, WANDB_API_KEY and a login.
"""

import hashlib
import netrc
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import wandb

from hydra_plugins.workstation_launcher import State
from rnn_mnist.training.trackers.tracker import TrackedRun, Tracker

_PROJECT = "rnn_mnist"
# Unless their user has said otherwise, nobody is told of what goes wrong here, and nothing is printed among the run's
# lines. They are read when W&B is set up.
for _name, _value in {"WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true"}.items():
    os.environ.setdefault(_name, _value)


class WandbTracker(Tracker):
    """A W&B run."""

    def begin(self, run: TrackedRun) -> Collection[int]:
        """Begin the run, or resume it where it is kept.

        Offline nobody knows what an earlier attempt has written: all epochs are written again, into a folder that
        takes the place of the earlier one. Online no epoch of an earlier attempt can be removed.
        """
        self._run = _begin(
            run.run_id,
            run.sweep_directory,
            name=run.name,
            config={**run.parameters, **{f"tags/{name}": value for name, value in run.tags.items()}},
            tags=[f"setting {run.tags['setting_id']}"] if "setting_id" in run.tags else None,
        )
        if self._run.settings.mode == "offline":
            _remove_earlier(Path(self._run.settings.sync_dir), run.run_id)
            return ()
        return range(1, self._run.starting_step)

    def epoch(self, number: int, figures: Mapping[str, float]) -> None:
        """Write an epoch as the step of its number."""
        self._run.log(dict(figures), step=number, commit=True)

    def figures(self, sweep_directory: Path, paths: Sequence[Path]) -> None:
        """Keep them in a run of the sweep's own, in its group."""
        identifier = hashlib.sha256(os.fsencode(sweep_directory)).hexdigest()[:12]
        name = f"figures of {sweep_directory.name}"
        self._run = _begin(f"figures-{identifier}", sweep_directory, name=name, job_type="sweep")
        if self._run.settings.mode == "offline":
            _remove_earlier(Path(self._run.settings.sync_dir), self._run.id)
        self._run.log({f"figures/{path.stem}": wandb.Image(str(path)) for path in paths})
        self._run.finish()

    def end(self, state: State, figures: Mapping[str, float], error: str | None) -> None:
        """Write the final figures into the summary, and wait until all is sent or on disk."""
        self._run.summary.update({**figures, "state": str(state), **({"error": error} if error else {})})
        self._run.finish(exit_code=0 if state in (State.completed, State.pruned) else 1)


def _begin(identifier: str, sweep_directory: Path, **more: Any) -> Any:
    known = wandb.setup().settings
    offline = known.mode == "online" and "WANDB_MODE" not in os.environ and not _has_key(known)
    folder = Path(os.environ.get("WANDB_DIR") or sweep_directory)
    folder.mkdir(parents=True, exist_ok=True)
    return wandb.init(
        project=os.environ.get("WANDB_PROJECT") or _PROJECT,
        group=sweep_directory.name,
        id=identifier,
        resume="allow",
        dir=folder,
        mode="offline" if offline else None,
        allow_val_change=True,  # threads, device
        settings=wandb.Settings(
            console="off",
            init_timeout=30,
            symlink=False,
            disable_git=True,
            disable_code=True,
            x_disable_stats=True,
            x_save_requirements=False,
        ),
        **more,
    )


def _has_key(settings: Any) -> bool:
    """Whether W&B would find a key without asking for one."""
    if settings.api_key or settings.identity_token_file:
        return True
    for path in (os.environ.get("NETRC"), Path.home() / ".netrc", Path.home() / "_netrc"):
        try:
            if path and netrc.netrc(path).authenticators(urlsplit(settings.base_url).hostname or ""):
                return True
        except (OSError, netrc.NetrcParseError):
            continue
    return False


def _remove_earlier(own: Path, run_id: str) -> None:
    """Remove the folders of earlier attempts, all of whose epochs ``own`` will have; they would be synced as well."""
    for folder in own.parent.glob(f"offline-run-*-{run_id}"):
        if folder != own:
            shutil.rmtree(folder, ignore_errors=True)
