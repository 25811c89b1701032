"""MLflow: a run for the sweep, and a child run in it for each run.

The store is ``mlflow.db`` in the sweep's folder, unless MLFLOW_TRACKING_URI says where. Runs are found again by their
tags, so that an attempt carries on what an earlier one has begun, on whatever machine.
"""

import hashlib
import logging
import os
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from filelock import FileLock

# Unless their user has said otherwise: no report of what is done here, a server that is away is not waited for long,
# and PyArrow starts no thread, with which a sweep's jobs could not be forked.
for _name, _value in {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}.items():
    os.environ.setdefault(_name, _value)

import mlflow.store.tracking.sqlalchemy_store  # noqa: F401 - which else is imported when a store is first used
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from hydra_plugins.workstation_launcher import State
from rnn_mnist.training.trackers.tracker import TrackedRun, Tracker, as_text

_EXPERIMENT = "rnn_mnist"
_STATUS = {State.completed: "FINISHED", State.failed: "FAILED"}
_ALWAYS_THERE = "train_loss"


class MLflowTracker(Tracker):
    """A child run of the sweep's run."""

    def begin(self, run: TrackedRun) -> Collection[int]:
        """Find or make the sweep's run and this one's. One that is trained anew gets a new run, the old is deleted."""
        self._times: dict[int, int] = {}
        self._open(run.sweep_directory)
        there = self._find_child(run)
        data = self._client.get_run(self._child).data
        parameters = {key: as_text(value) for key, value in run.parameters.items() if key not in data.params}
        self._write(parameters=parameters, tags=run.tags)
        return there

    def epoch(self, number: int, figures: Mapping[str, float]) -> None:
        """Write an epoch, all of it or nothing; a repeated call is the same call to MLflow."""
        now = self._times.setdefault(number, _now())
        self._write(metrics={name: (value, now, number) for name, value in figures.items()})

    def end(self, state: State, figures: Mapping[str, float], error: str | None) -> None:
        """End the run, and that of the sweep if no other run of it is at work."""
        there = self._client.get_run(self._child).data.metrics
        new = {name: (value, _now(), 0) for name, value in figures.items() if there.get(name) != value}
        self._write(metrics=new, tags={"state": str(state), "error": error or ""})
        self._client.set_terminated(self._child, _STATUS.get(state, "KILLED"))
        if not self._search(f"tags.`mlflow.parentRunId` = '{self._parent}' and attributes.status = 'RUNNING'"):
            self._client.set_terminated(self._parent, "FINISHED")

    def figures(self, sweep_directory: Path, paths: Sequence[Path]) -> None:
        """Keep them as artifacts of the sweep's run."""
        self._open(sweep_directory)
        for path in paths:
            self._client.log_artifact(self._parent, str(path), "figures")
        self._client.set_terminated(self._parent, "FINISHED")

    def _open(self, folder: Path) -> None:
        for name in ("mlflow", "alembic", "urllib3.connectionpool"):
            logging.getLogger(name).setLevel(logging.ERROR)
        # Of all processes of a sweep one makes the tables and the sweep's run.
        with FileLock(folder / ".mlflow.lock"):
            self._client = MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or _own_store(folder))
            self._experiment = self._find_experiment(folder)
            self._parent = self._find_parent(folder)

    def _find_experiment(self, folder: Path) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or _EXPERIMENT
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        own = None if os.environ.get("MLFLOW_TRACKING_URI") else (folder / "mlartifacts").as_uri()
        return str(self._client.create_experiment(name, artifact_location=own))

    def _find_parent(self, folder: Path) -> str:
        sweep_id = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
        if not self._search(f"tags.sweep_id = '{sweep_id}'"):
            tags = {"sweep_id": sweep_id, "sweep": folder.name, "directory": str(folder)}
            self._client.create_run(self._experiment, tags=tags, run_name=folder.name)
        # A host that knows nothing of this one's lock may have made one too: all take the first.
        parent = self._search(f"tags.sweep_id = '{sweep_id}'")[0]
        self._client.update_run(parent, status="RUNNING")
        return parent

    def _find_child(self, run: TrackedRun) -> Collection[int]:
        """Settle which run this is, and return the epochs that it has."""
        for child in self._search(f"tags.run_id = '{run.run_id}' and tags.`mlflow.parentRunId` = '{self._parent}'"):
            there = {metric.step for metric in self._client.get_metric_history(child, _ALWAYS_THERE)}
            if max(there, default=0) <= run.epochs_done:
                self._child = child
                self._client.update_run(child, status="RUNNING")
                return there
            self._client.delete_run(child)
        tags = {"mlflow.parentRunId": self._parent, "run_id": run.run_id}
        self._child = str(self._client.create_run(self._experiment, tags=tags, run_name=run.name).info.run_id)
        return ()

    def _search(self, condition: str) -> list[str]:
        """The ids of the runs of which that holds, the oldest first."""
        found = self._client.search_runs([self._experiment], condition, order_by=["attributes.start_time ASC"])
        return [each.info.run_id for each in found]

    def _write(
        self,
        metrics: Mapping[str, tuple[float, int, int]] | None = None,
        parameters: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self._client.log_batch(
            self._child,
            [Metric(name, *point) for name, point in (metrics or {}).items()],
            [Param(name, value) for name, value in (parameters or {}).items()],
            [RunTag(name, value) for name, value in (tags or {}).items()],
        )


def _own_store(folder: Path) -> str:
    """The URI of the store in a sweep's folder, which is made if it is not there: whole, whenever that is killed."""
    path = folder / "mlflow.db"
    if not path.exists():
        half = folder / ".mlflow.db.new"
        for left in folder.glob(f"{half.name}*"):
            left.unlink()
        MlflowClient(f"sqlite:///{half}").search_experiments(max_results=1)
        half.rename(path)
    return f"sqlite:///{path}"


def _now() -> int:
    return int(time.time() * 1000)
