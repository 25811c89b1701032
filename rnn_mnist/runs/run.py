"""A run on disk: its files and its state. Imports torch only for checkpoints."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from hydra_plugins.workstation_launcher import in_job, remove_leftovers, write_atomically, write_json
from rnn_mnist.errors import ExpectedError

if TYPE_CHECKING:
    import torch

SCHEMA_VERSION = 1


class RunInUseError(ExpectedError):
    """Another process is at work on the run."""


class AnotherRunError(ExpectedError):
    """The directory holds the results of a different run."""


class RunFormatError(ExpectedError):
    """A file of a run that this version cannot read; the message names it."""


class Run:
    """The directory of one run. Every file in it is written whole or not at all."""

    def __init__(self, directory: Path) -> None:
        """``directory`` need not exist yet."""
        self.directory = directory
        self.status_path = directory / "status.json"
        self.manifest_path = directory / "manifest.json"
        self.metrics_path = directory / "metrics.csv"
        self.result_path = directory / "result.json"
        self.predictions_path = directory / "predictions.npy"
        self.accuracy_by_step_path = directory / "accuracy_by_step.csv"
        self.checkpoint_path = directory / "checkpoint.pt"
        self.model_path = directory / "model.pt"
        self._results_paths = (
            self.result_path,
            self.metrics_path,
            self.predictions_path,
            self.accuracy_by_step_path,
            self.model_path,
        )
        self._outcome_paths = (*self._results_paths, self.checkpoint_path)
        self._lock = FileLock(directory / ".lock")

    def lock(self) -> None:
        """Keep other processes off this run until :meth:`unlock`, or the end of this process however it comes.

        Raises:
            RunInUseError: if another process has it.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise RunInUseError(f"{self.directory}: another process is training this run") from None

    def unlock(self) -> None:
        """Let other processes have the run."""
        self._lock.release()

    def status(self) -> dict[str, Any]:
        """``status.json``, or an empty mapping."""
        return read_json(self.status_path)

    def manifest(self) -> dict[str, Any]:
        """``manifest.json``, or an empty mapping."""
        return read_json(self.manifest_path)

    def result(self) -> dict[str, Any]:
        """``result.json``, or an empty mapping."""
        return read_json(self.result_path)

    def completed(self, identifier: str) -> bool:
        """Whether the run of that id has been trained and tested here, and all its results are still there."""
        return self.result().get("run_id") == identifier and all(path.exists() for path in self._results_paths)

    def refuse_another(self, identifier: str) -> None:
        """Keep the results of another run from being written over.

        Raises:
            AnotherRunError: if they are here.
        """
        found = self.result().get("run_id", identifier)
        if found != identifier:
            raise AnotherRunError(
                f"{self.directory}: holds the completed run {found}, and this one is {identifier}; "
                "give it another hydra.run.dir or hydra.sweep.subdir, or delete that run"
            )

    def start(self, manifest: Mapping[str, Any], *, resume: bool) -> None:
        """Record that an attempt begins; unless it resumes this very run, remove what earlier ones left."""
        earlier = self.manifest()
        resume = resume and earlier.get("run_id") == manifest["run_id"]
        attempts = self.status().get("attempts", 0) + 1 if resume else 1
        if not resume:
            # The result goes first: a kill from here on leaves a run that is to be done, not one that looks complete.
            for path in (*self._outcome_paths, *([] if in_job() else [self.status_path])):
                path.unlink(missing_ok=True)
        for path in (self.manifest_path, *self._outcome_paths):
            remove_leftovers(path)
        self._write_status({"state": "running", "attempts": attempts, "started": now()})
        previous = [
            *earlier.get("earlier_attempts", []),
            {key: earlier.get(key) for key in ("code", "device", "threads", "start", "end")},
        ]
        write_json(
            self.manifest_path,
            {
                "schema_version": SCHEMA_VERSION,
                **manifest,
                "start": now(),
                "end": None,
                "earlier_attempts": previous if resume else [],
            },
        )

    def update_manifest(self, **entries: Any) -> None:
        """Fill in what was not known when the attempt began."""
        write_json(self.manifest_path, {**self.manifest(), **entries})

    def complete(self, result: Mapping[str, Any], return_value: float) -> None:
        """Record the final figures; a run that has its ``result.json`` has all the rest."""
        self.update_manifest(end=now())
        write_json(self.result_path, {"schema_version": SCHEMA_VERSION, **result})
        self._write_status({**self.status(), "state": "completed", "ended": now(), "return_value": return_value})

    def fail(self, error: str, *, state: str = "failed") -> None:
        """Record that the run ended without a result, and why."""
        self.update_manifest(end=now())
        self._write_status({**self.status(), "state": state, "ended": now(), "error": error})

    def write_metrics(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write ``metrics.csv``, one row an epoch."""
        write_csv(self.metrics_path, list(rows))

    def write_predictions(self, predictions: np.ndarray) -> None:
        """Write ``predictions.npy``: uint8 ``[image]``, the predicted class of each test image."""
        buffer = io.BytesIO()
        np.save(buffer, predictions.astype(np.uint8))
        write_atomically(self.predictions_path, buffer.getvalue())

    def write_accuracy_by_step(self, accuracies: Iterable[float]) -> None:
        """Write ``accuracy_by_step.csv``: time step (from 1) and test accuracy after it."""
        rows = [{"step": step, "test_accuracy": accuracy} for step, accuracy in enumerate(accuracies, 1)]
        write_csv(self.accuracy_by_step_path, rows)

    def save_checkpoint(self, identifier: str, state: Mapping[str, Any]) -> None:
        """Write ``checkpoint.pt``: what the next epoch depends on, plain data and tensors."""
        _save_tensors(self.checkpoint_path, {"schema_version": SCHEMA_VERSION, "run_id": identifier, **state})

    def load_checkpoint(self, identifier: str, device: "torch.device") -> dict[str, Any] | None:
        """The checkpoint of the run of that id, or None if there is none.

        Raises:
            RunFormatError: if the file cannot be read.
        """
        import torch

        if not self.checkpoint_path.exists():
            return None
        try:
            state: dict[str, Any] = torch.load(self.checkpoint_path, map_location=device, weights_only=True)
        # torch.load meets a damaged file as RuntimeError, UnpicklingError, EOFError, KeyError ...
        except Exception as error:
            raise RunFormatError(f"{self.checkpoint_path}: unreadable; resume=false trains the run anew") from error
        _refuse_newer(self.checkpoint_path, state)
        return state if state["run_id"] == identifier else None

    def save_model(self, parts: Mapping[str, Mapping[str, "torch.Tensor"]]) -> None:
        """Write ``model.pt``: the state dicts of the plain modules, for a machine with or without a GPU."""
        on_cpu = {part: {name: value.cpu() for name, value in state.items()} for part, state in parts.items()}
        _save_tensors(self.model_path, on_cpu)

    def _write_status(self, status: Mapping[str, Any]) -> None:
        if in_job():
            return  # the launcher keeps it, and knows of deaths that a run cannot tell
        write_json(self.status_path, {"schema_version": SCHEMA_VERSION, **status})


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of ours, or an empty mapping if there is no such file.

    Raises:
        RunFormatError: if it is broken, or was written by a newer version.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise RunFormatError(f"{path}: not JSON; delete it to have the run done again") from error
    if not isinstance(content, dict):
        raise RunFormatError(f"{path}: not a JSON object; delete it to have the run done again")
    _refuse_newer(path, content)
    return content


def write_csv(path: Path, rows: list[dict[str, Any]] | list[Mapping[str, Any]]) -> None:
    """Write rows with the union of their columns, in order of appearance; None is an empty field."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode())


def _save_tensors(path: Path, content: Mapping[str, Any]) -> None:
    import torch

    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    write_atomically(path, buffer.getvalue())


def _refuse_newer(path: Path, content: Mapping[str, Any]) -> None:
    version = content.get("schema_version", SCHEMA_VERSION)
    if version > SCHEMA_VERSION:
        raise RunFormatError(
            f"{path}: schema_version {version} is newer than this program's {SCHEMA_VERSION}; update it"
        )
