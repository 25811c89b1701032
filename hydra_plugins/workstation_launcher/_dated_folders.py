"""Sweeps whose folder is named by the time, which the same command finds empty each time."""

import glob
import logging
import re
import shlex
from pathlib import Path

from omegaconf import DictConfig

from hydra_plugins.workstation_launcher._hydra_internals import interpolation
from hydra_plugins.workstation_launcher._records import State, SweepRecord, read_status, typed_command

log = logging.getLogger("hydra_plugins.workstation_launcher")

_TIME = re.compile(r"\$\{now:[^}]*\}")
_MOST_LOOKED_AT = 20
"""Folders, the latest by their names."""


def is_dated(config: DictConfig) -> bool:
    """Whether ``hydra.sweep.dir`` is another folder each time, as it is by Hydra's own default."""
    return _TIME.search(interpolation(config.hydra.sweep, "dir") or "") is not None


def how_to_carry_on(config: DictConfig, directory: Path) -> str:
    """The command that goes on where this one was interrupted."""
    folder = [f"hydra.sweep.dir={directory}"] if is_dated(config) else []
    return shlex.join([*typed_command(), *folder])


def warn_of_new_folder(config: DictConfig, directory: Path) -> None:
    """Say that this very command was begun in another folder, if it was and has not finished there."""
    if unfinished := unfinished_before(config, directory):
        log.warning(
            "warning: hydra.sweep.dir is a new folder each time, and %s is not finished; to carry on there: %s",
            unfinished,
            shlex.join([*typed_command(), f"hydra.sweep.dir={unfinished}"]),
        )


def unfinished_before(config: DictConfig, directory: Path) -> Path | None:
    """The latest folder in which this very command was begun and has jobs that are not completed, if there is one."""
    written = interpolation(config.hydra.sweep, "dir") or ""
    if not is_dated(config) or "${" in _TIME.sub("", written):
        return None
    pattern = "*".join(glob.escape(part) for part in _TIME.split(written))
    found = sorted((Path(name) for name in glob.glob(pattern)), reverse=True)[:_MOST_LOOKED_AT]  # noqa: PTH207
    for folder in found:
        if folder == directory or not (folder / "sweep.json").is_file():
            continue
        record = SweepRecord.load(folder)
        if record.content.get("command") != typed_command():
            continue
        statuses = [read_status(folder / entry["directory"]) for entry in record.jobs.values()]
        if any(status is None or status.state not in (State.completed, State.pruned) for status in statuses):
            return folder
        return None  # the latest is done: nothing was left
    return None
