"""A Ray cluster as a place for jobs: each is a task with its share of cores, GPUs and memory."""

import contextlib
import os
import queue
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import ray
from omegaconf import DictConfig
from ray.exceptions import OutOfMemoryError, RayError, TaskCancelledError

from hydra_plugins.workstation_launcher._atomic_files import write_atomically
from hydra_plugins.workstation_launcher._devices import available_cores
from hydra_plugins.workstation_launcher._keeper import STOP, pass_on_reports
from hydra_plugins.workstation_launcher._messages import (
    Began,
    Exited,
    Ready,
    Report,
    Requeued,
    Start,
    WorkOrder,
    report_in,
)
from hydra_plugins.workstation_launcher._new_interpreter import content_of
from hydra_plugins.workstation_launcher._pickling import UnpicklableError, dumps, dumps_or_explain
from hydra_plugins.workstation_launcher._ray_options import RayOptions
from hydra_plugins.workstation_launcher._records import RecordFormatError, State, Status, read_status
from hydra_plugins.workstation_launcher._server_start import Setup
from hydra_plugins.workstation_launcher._workers import ApplicationError

_LOOK_SECONDS = 0.3
_MOST_LOOKED_AT = 100
"""Jobs whose records and reports are looked at in one turn."""


@dataclass
class _Task:
    """A job that Ray has."""

    reference: Any
    number: int
    directory: Path
    attempt_id: str
    runs: bool = False


class RayPlace:
    """Gives jobs to Ray, and hears of their ends. They end with the command."""

    name = "ray"
    queues = True
    outlives = False

    def __init__(self, setup: Setup, options: RayOptions, say: Callable[[str], None]) -> None:
        """``setup`` is what all jobs need; ``say`` tells people a line."""
        self._setup, self._options, self._say = setup, options, say
        self._content: Any = None
        self._main_by_value = False
        self._tasks: dict[int, _Task] = {}
        self._events: queue.SimpleQueue[Exited | Began] = queue.SimpleQueue()
        self._wake, self._wake_up = _pipe()
        self.reports, self.progress = _pipe()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def opened(self) -> Self:
        """Find a cluster or start one.

        Raises:
            ApplicationError: if there is none, or the application cannot be sent there.
        """
        if self._content is None:
            try:
                content = content_of(self._setup.application)
            except UnpicklableError as error:
                raise ApplicationError(f"{error} (each job needs a new interpreter on its node)") from None
            self._main_by_value = content.main_by_value
            self._connect()
            self._content = ray.put(dumps(content))
            self._run = ray.remote(_entry()).options(
                num_cpus=self._options.cpus,
                num_gpus=self._options.gpus,
                memory=self._options.memory,
                resources=dict(self._options.resources),
                max_retries=0,
            )
        if self._thread is None:
            self._ended.clear()
            self._thread = threading.Thread(target=self._look, name="Ray's tasks", daemon=True)
            self._thread.start()
        return self

    def _connect(self) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        common: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        address = self._options.address
        try:
            if address != "local":
                try:
                    ray.init(address=address, **common)
                except ConnectionError:
                    if address != "auto":
                        raise
                else:
                    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call, unused-ignore]
                    self._say(f"Ray's cluster has {resources.get('CPU', 0):g} cores, {resources.get('GPU', 0):g} GPUs")
                    return
            ray.init(address="local", num_cpus=available_cores(), include_dashboard=False, **common)
        except Exception as error:  # whatever Ray raises when it finds no cluster, or cannot start one
            raise ApplicationError(f"hydra.launcher.address={address}: {' '.join(str(error).split())}") from None

    def wait_until_ready(self) -> Ready:
        """At once."""
        return Ready(main_by_value=self._main_by_value)

    def fileno(self) -> int:
        """For ``select``: readable when :meth:`news` has something to say."""
        return self._wake

    def start(self, token: int, order: WorkOrder, config: DictConfig) -> None:
        """Give a job to Ray.

        Raises:
            ApplicationError: if its configuration cannot be sent to a node.
        """
        try:
            pickled = dumps_or_explain(config, "its configuration", main_by_value=self._main_by_value)
        except UnpicklableError as error:
            raise ApplicationError(f"#{order.number}: {error}") from None
        directory = order.directory.absolute()
        variables = {**order.environment, **self._setup.variables()}
        sent = WorkOrder(
            order.number, directory, order.status, variables, order.threads, -1, timeout_seconds=order.timeout_seconds
        )
        start = dumps(Start(token, sent, pickled))
        reference = self._run.remote(_path(), self._content, start, dict(os.environ), str(Path.cwd()))
        self._tasks[token] = _Task(reference, order.number, directory, order.status.attempt_id)

    def submit(self) -> Mapping[int, str]:
        """Ray has them already."""
        return {}

    def release(self) -> None:
        """Ray starts them when there is room."""

    def adopt(self, token: int, number: int, status: Status, directory: Path) -> None:
        """No job outlives the command that started it.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError

    def send_signal(self, token: int, number: int) -> None:
        """Tell a job to stop, or kill it; one that waits is not started."""
        task = self._tasks.get(token)
        if task is None or number not in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            return
        if number == signal.SIGKILL or not task.runs:
            ray.cancel(task.reference, force=number == signal.SIGKILL)
        with contextlib.suppress(OSError):
            # What Ray's own cancelling does in a task that waits for a process of its own is not to be relied on.
            write_atomically(task.directory / STOP, task.attempt_id.encode())

    def news(self) -> Sequence[Exited | Began | Requeued]:
        """What has become of jobs since."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4096)
        events: list[Exited | Began | Requeued] = []
        with contextlib.suppress(queue.Empty):
            while True:
                events.append(self._events.get_nowait())
        known = [event for event in events if event.token in self._tasks]
        for event in known:
            if isinstance(event, Exited):
                del self._tasks[event.token]
        return known

    def _look(self) -> None:
        told: set[int] = set()
        while not self._ended.wait(_LOOK_SECONDS):
            tasks = {token: task for token, task in list(self._tasks.items()) if token not in told}
            if not tasks:
                continue
            references = {task.reference: token for token, task in tasks.items()}
            ready, _ = ray.wait(list(references), num_returns=len(references), timeout=0, fetch_local=False)
            for reference in ready:
                token = references[reference]
                told.add(token)
                self._events.put(_exited(token, reference))
            self._look_at([token for token in tasks if token not in told])
            with contextlib.suppress(BlockingIOError, OSError):
                os.write(self._wake_up, b"\0")

    def _look_at(self, tokens: Sequence[int]) -> None:
        """See which jobs have begun, and pass on what those that run report."""
        tasks = [(token, self._tasks[token]) for token in tokens if token in self._tasks]
        for token, task in [each for each in tasks if not each[1].runs][:_MOST_LOOKED_AT]:
            with contextlib.suppress(RecordFormatError):
                status = read_status(task.directory)
                if status is not None and status.attempt_id == task.attempt_id and status.state != State.queued:
                    task.runs = True
                    self._events.put(Began(token, status.host or self.name))
        pass_on_reports(((task.directory, task.number) for _, task in tasks if task.runs), self.progress)

    def close(self) -> None:
        """Kill what still runs."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for task in self._tasks.values():
            with contextlib.suppress(Exception):
                ray.cancel(task.reference, force=True)
        self._tasks.clear()

    def end(self) -> None:
        """Leave the cluster, or end the one that was started for the sweep."""
        with contextlib.suppress(Exception):
            ray.shutdown()


def _exited(token: int, reference: Any) -> Exited:
    try:
        exit_status, cause, report = ray.get(reference)
    except TaskCancelledError:
        return Exited(token, 1, Report(), interrupted=True)
    except OutOfMemoryError:
        return Exited(token, 1, refused="killed by Ray, for its node ran out of memory")
    except RayError as error:
        kind = type(error).__name__
        if isinstance(error, ray.exceptions.RayTaskError):
            return Exited(token, 1, refused=f"{kind}: {str(error).strip().splitlines()[-1]}")
        return Exited(token, None, refused=f"its node, or the process of Ray's that ran it, is gone ({kind})")
    return Exited(token, exit_status, report_in(report), refused=cause)


def _entry() -> Callable[..., Any]:
    """What Ray sends to its processes by value: they need not find this package by themselves."""

    def job(path: list[str], *arguments: Any) -> Any:
        import sys

        sys.path[:] = path + [entry for entry in sys.path if entry not in path]
        from hydra_plugins.workstation_launcher._ray_node import run

        return run(*arguments)

    return job


def _path() -> list[str]:
    import sys

    return [os.path.abspath(entry) for entry in sys.path]  # noqa: PTH100 - texts, of which one may be empty


def _pipe() -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends
