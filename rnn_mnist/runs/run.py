"""A run on disk: its directory while it is made, and how it stands. Imports torch only for checkpoints."""

import logging
import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from hydra_plugins.workstation_launcher import (
    State,
    Status,
    in_job,
    new_status,
    remove_leftovers,
    set_aside,
    write_json,
)
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.checkpoint import read_checkpoint, save_tensors
from rnn_mnist.runs.files import (
    SCHEMA_VERSION,
    DamagedFileError,
    read_json,
    results_are_whole,
    write_csv,
    write_predictions,
)
from rnn_mnist.runs.provenance import Attempt, source_version

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

_RESULTS = ("result.json", "metrics.csv", "predictions.npy", "accuracy_by_step.csv", "model.pt")
_WEIGHTS = ("model.pt", "checkpoint.pt")
_OUTCOME = (*_RESULTS, "checkpoint.pt", "first_steps.csv")


class RunInUseError(ExpectedError):
    """Another process is at work on the run."""


class AnotherRunError(ExpectedError):
    """The directory holds the results of a different run."""


class Run:
    """The directory of one run. Every file in it is written whole or not at all."""

    def __init__(self, directory: Path, former_ids: Collection[str] = ()) -> None:
        """``directory`` need not exist yet; ``former_ids``: what earlier code may have called this very run."""
        self.directory = directory
        self._former_ids = former_ids

    @cached_property
    def _lock(self) -> FileLock:
        return FileLock(self.directory / ".lock")

    def lock(self) -> None:
        """Keep other processes off this run until :meth:`unlock`, or the end of this process however it comes.

        Raises:
            RunInUseError: if another process has it.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        try:
            # Whoever reads the run tries the lock for a moment, to see whether anybody is at work.
            self._lock.acquire(timeout=1)
        except Timeout:
            raise RunInUseError(f"{self.directory}: another process is training this run") from None

    def unlock(self) -> None:
        """Let other processes have the run."""
        self._lock.release()

    def status(self) -> Status | None:
        """``status.json``, or None if there is none.

        Raises:
            RunFormatError: if it cannot be read.
        """
        content = read_json(self.directory / "status.json")
        if not content:
            return None
        try:
            return Status.from_content(content)
        except ValueError as error:
            raise DamagedFileError(f"{self.directory / 'status.json'}: {error}") from error

    def manifest(self) -> dict[str, Any]:
        """``manifest.json``, or an empty mapping."""
        return read_json(self.directory / "manifest.json")

    def result(self) -> dict[str, Any]:
        """``result.json``, or an empty mapping."""
        return read_json(self.directory / "result.json")

    def earlier_attempts(self) -> list[Attempt]:
        """What was made of this run before the attempt that is at work."""
        return [Attempt.from_manifest(content) for content in self.manifest()["earlier_attempts"]]

    def completed(self, identifier: str) -> bool:
        """Whether the run of that id has been trained and tested here, and all its files are still there, whole.

        Its weights need not be, if they were removed by :meth:`remove_weights`.
        """
        try:
            return (
                self._has_results(identifier)
                and bool(self.manifest())
                and results_are_whole(self.directory, weights=not self._weights_are_removed())
            )
        except DamagedFileError:
            return False

    def _has_results(self, identifier: str) -> bool:
        found = self.result().get("run_id")
        missing = [name for name in _RESULTS if not (self.directory / name).exists()]
        return self._is(identifier, found) and (
            not missing or (missing == ["model.pt"] and self._weights_are_removed())
        )

    def _weights_are_removed(self) -> bool:
        return not (self.directory / "model.pt").exists() and self.manifest().get("weights_removed") is True

    def remove_weights(self) -> int:
        """Remove the weights and the checkpoint of a completed run, which stays one; returns the bytes that are free.

        Raises:
            RunInUseError: if another process has the run.
            ExpectedError: if it is not completed.
        """
        self.lock()
        try:
            identifier = self.manifest().get("run_id", "")
            if not self.completed(identifier):
                raise ExpectedError(f"{self.directory}: not completed; its weights stay")
            # First said, then done: a kill in between leaves a run that has them and does not need them.
            self.update_manifest(weights_removed=True)
            there = [path for name in _WEIGHTS if (path := self.directory / name).exists()]
            size = sum(path.stat().st_size for path in there)
            for path in there:
                path.unlink()
            return size
        finally:
            self.unlock()

    def _is(self, identifier: str, found: str | None) -> bool:
        return found == identifier or found in self._former_ids

    def refuse_another(self, identifier: str) -> None:
        """Keep the results of another run from being written over.

        Raises:
            AnotherRunError: if they are here.
        """
        found = self.result().get("run_id", identifier)
        if not self._is(identifier, found):
            raise AnotherRunError(
                f"{self.directory}: holds the completed run {found}, and this one is {identifier}; "
                "give it another hydra.run.dir or hydra.sweep.subdir, or delete that run"
            )

    def settle(self, identifier: str) -> Status:
        """How the run of that id stands by its own files, whatever was killed while it wrote them.

        A status that says otherwise is put right and leftover temporary files are removed, unless somebody is at work
        here or the folder cannot be written.

        Raises:
            RunFormatError: if a file cannot be read.
        """
        found = self.status()
        # A kill between the removal of an old status and the writing of the next leaves none.
        status = found or Status.from_content({"state": State.interrupted})
        abandoned = status.state != State.running or self._abandoned(status)
        if self._has_results(identifier):
            if status.state != State.completed:
                value = return_value(self.result())
                ended = self.manifest().get("end")
                status = replace(status, state=State.completed, ended=ended, error=None, return_value=value)
        elif status.state == State.completed:
            status = replace(status, state=State.interrupted, return_value=None, error="its result.json is gone")
        elif status.state == State.running and abandoned:
            status = replace(status, state=State.interrupted, error="its process is gone")
        if status != found and abandoned:
            self._mend(replace(status, fingerprint=identifier), found)
        return status

    def _abandoned(self, status: Status) -> bool:
        """Whether nobody is at work on a run that is said to be running. Older versions recorded no process."""
        return (status.pid is None or status.process_is_gone()) and not _held(self._lock)

    def _mend(self, status: Status, found: Status | None) -> None:
        # A launcher that is at work on the sweep keeps its jobs' records itself.
        if _held(FileLock(self.directory.parent / ".lock")):
            return
        with suppress(OSError), self._lock.acquire(timeout=0):  # a Timeout is an OSError
            if self.status() == found:
                status.write(self.directory)
                self._remove_leftovers()

    def prepare(self, manifest: Mapping[str, Any]) -> None:
        """Write the static part of the manifest before the process that trains has loaded anything.

        Results that are here keep theirs until the run is started anew. Damaged files are set aside.

        Raises:
            RunInUseError: if another process has the run.
        """
        self.lock()
        try:
            self._set_aside_damaged()
            if not self.result():
                self._write_manifest(manifest, start=None, keep_attempts=True)
        finally:
            self.unlock()

    def start(self, manifest: Mapping[str, Any], *, resume: bool) -> None:
        """Record that an attempt begins; unless it resumes this very run, remove what earlier ones left."""
        self._set_aside_damaged()
        resume = resume and self._is(manifest["run_id"], self.manifest().get("run_id"))
        if not resume:
            # The result goes first: a kill from here on leaves a run that is to be done, not one that looks complete.
            for name in (*_OUTCOME, *([] if in_job() else ["status.json"])):
                (self.directory / name).unlink(missing_ok=True)
        self._remove_leftovers()
        if not in_job():
            overrides = list(manifest["overrides"])
            self._status = new_status(
                manifest["run_id"],
                overrides,
                self.directory,
                former=self._former_ids,
                log="train.log",
                code_version=source_version(),
            )
            self._status.write(self.directory)
        self._write_manifest(manifest, start=now(), keep_attempts=resume)

    def _write_manifest(self, manifest: Mapping[str, Any], *, start: str | None, keep_attempts: bool) -> None:
        before = self.manifest()
        attempts: list[Any] = []
        if keep_attempts and self._is(manifest["run_id"], before.get("run_id")):
            attempts = list(before.get("earlier_attempts") or [])
            if before.get("start") is not None:  # else it was prepared for this very attempt
                attempts.append(asdict(Attempt.from_manifest(before)))
        content = {"schema_version": SCHEMA_VERSION, **manifest, "start": start, "end": None}
        write_json(self.directory / "manifest.json", {**content, "earlier_attempts": attempts})

    def update_manifest(self, **entries: Any) -> None:
        """Fill in what was not known when the attempt began."""
        write_json(self.directory / "manifest.json", {**self.manifest(), **entries})

    def complete(self, result: Mapping[str, Any]) -> None:
        """Record the final figures; a run that has its ``result.json`` has all the rest."""
        self.update_manifest(end=now())
        write_json(self.directory / "result.json", {"schema_version": SCHEMA_VERSION, **result})
        self._end(State.completed, None, value=return_value(result))

    def fail(self, error: str, *, state: State = State.failed, diverged: bool = False) -> None:
        """Record that the run ended without a result, and why; ``diverged``: because its loss was not finite."""
        self.update_manifest(end=now(), diverged=diverged)
        self._end(state, error)

    def _end(self, state: State, error: str | None, value: float | None = None) -> None:
        if in_job():
            return  # the launcher keeps it, and knows of deaths that a run cannot tell
        self._status.finish(state, error)
        self._status.return_value = value
        self._status.write(self.directory)

    def write_metrics(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write ``metrics.csv``, one row an epoch."""
        write_csv(self.directory / "metrics.csv", list(rows))

    def write_first_steps(self, losses: Iterable[float]) -> None:
        """Write ``first_steps.csv``: training step (from 1) and the mean loss of its images before it."""
        rows = [{"step": step, "train_loss": loss} for step, loss in enumerate(losses, 1)]
        write_csv(self.directory / "first_steps.csv", rows)

    def write_predictions(self, predictions: np.ndarray) -> None:
        """Write ``predictions.npy``: uint8 ``[image]``, the predicted class of each test image."""
        write_predictions(self.directory, predictions)

    def write_accuracy_by_step(self, accuracies: Iterable[float]) -> None:
        """Write ``accuracy_by_step.csv``: time step (from 1) and test accuracy after it."""
        rows = [{"step": step, "test_accuracy": accuracy} for step, accuracy in enumerate(accuracies, 1)]
        write_csv(self.directory / "accuracy_by_step.csv", rows)

    def save_checkpoint(self, identifier: str, state: Mapping[str, Any]) -> None:
        """Write ``checkpoint.pt``: what the next epoch depends on, plain data and tensors."""
        content = {"schema_version": SCHEMA_VERSION, "run_id": identifier, **state}
        save_tensors(self.directory / "checkpoint.pt", content)

    def load_checkpoint(self, identifier: str, device: "torch.device") -> dict[str, Any] | None:
        """The checkpoint of the run of that id, or None if there is none; a damaged one is set aside.

        Raises:
            RunFormatError: if the disk does not give it, or a newer version wrote it.
        """
        try:
            state = read_checkpoint(self.directory / "checkpoint.pt", device)
        except FileNotFoundError:
            return None
        except DamagedFileError:
            self.set_checkpoint_aside()
            return None
        return state if self._is(identifier, state["run_id"]) else None

    def set_checkpoint_aside(self) -> None:
        """Rename a checkpoint from which no run can go on, and say that this one begins again."""
        self._set_aside("checkpoint.pt")

    def save_model(self, parts: Mapping[str, Mapping[str, "torch.Tensor"]]) -> None:
        """Write ``model.pt``: the state dicts of the plain modules, for a machine with or without a GPU."""
        on_cpu = {part: {name: value.cpu() for name, value in state.items()} for part, state in parts.items()}
        save_tensors(self.directory / "model.pt", on_cpu)

    def _set_aside_damaged(self) -> None:
        """Make way for the files of an attempt: rename JSON that is damaged, and folders that have a file's name."""
        for name in ("manifest.json", "result.json"):
            try:
                read_json(self.directory / name)
            except DamagedFileError:
                self._set_aside(name)
        for name in _OUTCOME:
            path = self.directory / name
            if path.is_dir() and not path.is_symlink():
                self._set_aside(name)

    def _set_aside(self, name: str) -> None:
        path = self.directory / name
        consequence = "; the run begins again" if name == "checkpoint.pt" else ""
        if os.path.lexists(path):
            log.warning("warning: %s is damaged; it is kept as %s%s", path, set_aside(path).name, consequence)

    def _remove_leftovers(self) -> None:
        for name in ("status.json", "manifest.json", *_OUTCOME):
            remove_leftovers(self.directory / name)


def return_value(result: Mapping[str, Any]) -> float:
    """What a sweeper gets of a run: its validation accuracy, or its test accuracy where nothing validated it."""
    value = result["val_accuracy"]
    return float(result["test_accuracy"] if value is None else value)


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _held(lock: FileLock) -> bool:
    """Whether another process holds a lock; one in a folder that cannot be written is nobody's."""
    if not Path(lock.lock_file).exists():
        return False
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False
