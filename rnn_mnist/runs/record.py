"""One record of a run: what its files say of it, and the one row that every table of runs has for it."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hydra_plugins.workstation_launcher import State as State
from hydra_plugins.workstation_launcher import Status
from rnn_mnist.catalogues.metrics import run_metrics
from rnn_mnist.configuration.change import Change
from rnn_mnist.configuration.identity import flatten
from rnn_mnist.configuration.resolution import Resolved, resolve
from rnn_mnist.configuration.schema import config_from_dict
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.files import RunFormatError, read_json
from rnn_mnist.runs.foreign_code import named_code, refuse_code_beside
from rnn_mnist.runs.provenance import Attempt, CodeVersion
from rnn_mnist.runs.run import Run

NUMERIC_COLUMNS = run_metrics()
RESULT_COLUMNS = (*NUMERIC_COLUMNS, "device")
LEADING_COLUMNS = ("sweep", "directory", "run", "run_id", "setting_id", "status")
TRAILING_COLUMNS = (
    *("seed", *RESULT_COLUMNS, "threads", "commit", "source"),
    *("diverged", "error", "question", "overrides", "changes"),
)

# What runs wrote that did not yet say apart whether they had diverged.
_DIVERGED = re.compile(r"\bloss is -?(nan|inf)\b")
_NOT_FIGURES = ("schema_version", "run_id")
# Top-level keys of a configuration that have a column of their own, or say nothing of the run.
_NOT_CONFIG_COLUMNS = ("seed", "sweep", "resume", "reuse", "tracker", "question")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run as its files tell of it.

    Attributes:
        directory: where they are.
        run_id, setting_id: None for a job that died before anything said what it was.
        state: how it stands, by all of its files.
        config: the effective configuration under dotted keys; a list is a tuple.
        requested: the configuration that was asked for, likewise; empty where an old manifest does not say.
        changes: a value for each key that others decide; what an old manifest does not say is resolved anew.
        result: the final figures of a completed run, else empty.
        overrides: those of its command.
        diverged: whether it has none because its loss was no longer finite, which is an outcome of its configuration;
            other failures (a kill, a full disk) are not.
        error: why it has no result.
        attempt: what its latest attempt was made with.
    """

    directory: Path
    run_id: str | None
    setting_id: str | None
    state: State
    config: Mapping[str, Any]
    requested: Mapping[str, Any]
    changes: tuple[Change, ...]
    seed: int | None
    result: Mapping[str, Any]
    overrides: tuple[str, ...]
    diverged: bool
    error: str | None
    attempt: Attempt

    @property
    def code(self) -> CodeVersion | None:
        """The code of its latest attempt."""
        return self.attempt.code

    def row(self) -> dict[str, Any]:
        """The leading columns, every key of the configuration under its dotted name, and the trailing columns.

        Accuracies are fractions; what is unknown, and every figure of a run that is not completed, is None.
        """
        place = self.directory.absolute()
        return {
            "sweep": place.parent.name,
            "directory": str(self.directory),
            "run": place.name,
            "run_id": self.run_id,
            "setting_id": self.setting_id,
            "status": self.state.value,
            **{key: value for key, value in self.config.items() if key not in _NOT_CONFIG_COLUMNS},
            "seed": self.seed,
            **dict.fromkeys(RESULT_COLUMNS),
            # A metric of a package that is not here is kept in the table all the same.
            **{name: value for name, value in self.result.items() if name not in _NOT_FIGURES},
            "threads": self.attempt.threads,
            "commit": self.code and self.code.commit,
            # Of the code that results depend on: many commits change none of it.
            "source": self.code and self.code.source_sha256 and self.code.source_sha256[:12],
            "diverged": self.diverged,
            "error": self.error,
            "question": self.config.get("question"),
            "overrides": self.overrides,
            "changes": self.changes,
        }


def manifest_of(resolved: Resolved, overrides: Iterable[str], attempt: Attempt) -> dict[str, Any]:
    """What :func:`read_run` reads of a run, and is known before it starts: the static part of ``manifest.json``.

    Args:
        resolved: the configuration.
        overrides: those of the command.
        attempt: what the run is made with, as far as that is known.
    """
    return {
        "run_id": resolved.run_id,
        "setting_id": resolved.setting_id,
        "config": resolved.plain,
        "requested": resolved.requested_flat,
        "changes": json.loads(json.dumps([asdict(change) for change in resolved.changes])),
        "overrides": list(overrides),
        "precision": str(resolved.config.training.precision),
        **asdict(attempt),
    }


def read_run(directory: Path) -> RunRecord:
    """The record of a run; its status is put right on the way, see :meth:`rnn_mnist.runs.run.Run.settle`.

    Raises:
        RunFormatError: if this is not the directory of a run, or a file of it cannot be read.
    """
    manifest, status = read_json(directory / "manifest.json"), read_json(directory / "status.json")
    result = read_json(directory / "result.json")
    try:
        if not manifest:
            return _unknown_run(directory, Status.from_content(status))
        identifier = manifest["run_id"]
        if status.get("state") == State.completed and result.get("run_id") == identifier:
            state, error = State.completed, None
        elif status.get("state") == State.completed and result:
            raise RunFormatError(f"{directory}: completed, but its result.json is another run's")
        else:
            settled = Run(directory).settle(identifier)
            state, error = settled.state, settled.error
        config = _flat(manifest["config"])
        return RunRecord(
            directory=directory,
            run_id=_text(identifier),
            setting_id=_text(manifest["setting_id"]),
            state=state,
            config=config,
            requested=manifest.get("requested") or {},
            changes=_changes(manifest, directory),
            seed=int(config["seed"]),
            result=_checked(result) if state == State.completed else {},
            overrides=tuple(manifest.get("overrides") or ()),
            diverged=state == State.failed and _has_diverged(manifest, error),
            error=error,
            attempt=Attempt.from_manifest(manifest),
        )
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
        raise RunFormatError(f"{directory}: not the files of a run ({type(error).__name__}: {error})") from error


def find_runs(*directories: Path) -> Iterator[Path]:
    """The directories of runs: those among ``directories``, their children and their children's children, in order."""
    for directory in directories:
        if is_run(directory):
            yield directory
            continue
        for child in folders(directory):
            if is_run(child):
                yield child
            else:
                yield from (run for run in folders(child) if is_run(run))


def is_run(directory: Path) -> bool:
    """Whether a directory is that of a run, or of a job that died before it wrote its manifest."""
    return any(os.path.lexists(directory / name) for name in ("manifest.json", "status.json"))


def folders(directory: Path) -> list[Path]:
    """The visible folders in a directory, by name; links lead elsewhere, and are not followed."""
    with os.scandir(directory) as entries:
        names = sorted(
            entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
        )
    return [directory / name for name in names]


def without_duplicates(records: Iterable[RunRecord]) -> tuple[list[RunRecord], list[str]]:
    """Each run once: of several copies the first completed one, else the first; and a line for each that is left out.

    Counted twice, a copy would pass for a replicate.
    """
    chosen: dict[object, RunRecord] = {}
    given = [(record.run_id or record.directory, record) for record in records]
    for key, record in given:
        earlier = chosen.get(key)
        if earlier is None or (record.state == State.completed and earlier.state != State.completed):
            chosen[key] = record
    duplicates = [
        f"{record.directory}: the same run as {chosen[key].directory}; counted once"
        for key, record in given
        if chosen[key] is not record
    ]
    return [record for key, record in given if chosen[key] is record], duplicates


def _unknown_run(directory: Path, status: Status) -> RunRecord:
    """A job that died before anything said what it was; launchers before the hook that writes manifests left such."""
    if status.fingerprint:
        status = Run(directory).settle(status.fingerprint)
    if status.state == State.completed:
        raise RunFormatError(f"{directory}: completed, but its manifest.json is missing")
    return RunRecord(
        directory=directory,
        run_id=status.fingerprint or None,
        setting_id=None,
        state=status.state,
        config={},
        requested={},
        changes=(),
        seed=None,
        result={},
        overrides=tuple(status.overrides),
        diverged=False,
        error=status.error,
        attempt=Attempt(versions={}, host=status.host),
    )


def _flat(config: dict[str, Any]) -> dict[str, Any]:
    flat = flatten(config)
    for key, value in flat.items():
        if type(value) is list:
            flat[key] = _as_tuple(value)
    return flat


def _changes(manifest: dict[str, Any], directory: Path) -> tuple[Change, ...]:
    if (recorded := manifest.get("changes")) is not None:
        return tuple(Change(**change) for change in recorded)
    try:
        config = config_from_dict(manifest["config"])
        for key, path in named_code(config):
            refuse_code_beside(key, path, directory)
        return resolve(config).changes
    except (KeyError, TypeError, ValueError, ExpectedError):
        return ()  # an option or a value that this version does not have


def _has_diverged(manifest: Mapping[str, Any], error: str | None) -> bool:
    said = manifest.get("diverged")
    return bool(said) if said is not None else _DIVERGED.search(error or "") is not None


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"an id is {value!r}")
    return value


def _checked(result: Mapping[str, Any]) -> Mapping[str, Any]:
    for column in NUMERIC_COLUMNS:
        value = result.get(column)
        if value is not None and not isinstance(value, int | float):
            raise TypeError(f"{column} in result.json is {value!r}")
    return result
