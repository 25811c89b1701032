"""What the launcher and the process that starts the jobs tell one another, and a job at its end."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hydra_plugins.workstation_launcher._records import Status

FORK, SPAWN = "fork", "spawn"


@dataclass(frozen=True)
class Ready:
    """First answer of the server."""

    reason: str | None = None
    """Why each job starts a new interpreter although nobody has asked for that, if so."""
    main_by_value: bool = False
    """Whether the jobs have no main module that could be executed."""
    error: str | None = None
    """Why no job can be started at all."""


@dataclass(frozen=True)
class WorkOrder:
    """A job, as its process gets it beside its configuration."""

    number: int
    directory: Path
    status: Status
    """As the launcher has written it."""
    environment: Mapping[str, str]
    threads: int | None
    progress: int
    """File descriptor of the pipe to the display."""
    timeout_seconds: float | None = None
    """How long it may take, where the launcher does not see to that itself."""
    is_heard: bool = False
    """Whether somebody answers to the values that it reports."""


@dataclass(frozen=True)
class Start:
    """Start a process for a job."""

    token: int
    order: WorkOrder
    config: bytes
    """Its configuration, as a pickle."""


@dataclass(frozen=True)
class Send:
    """Send a signal to a process; to all of its session if it is SIGKILL."""

    token: int
    signal: int


@dataclass(frozen=True)
class Refuse:
    """Answer that a job cannot be started, for a reason that the launcher has."""

    token: int
    reason: str


@dataclass
class Report:
    """What a job has to say when it ends, beside its record; it comes through memory, and is never on disk."""

    value: bytes | None = None
    """The return value as a pickle, if it is one that JSON need not keep as it is."""
    failure: bytes | None = None
    """Hydra's ``JobReturn`` of a task that raised, as a pickle."""
    trouble: str | None = None
    """Why its record could not be kept, if it could not."""
    said: list[str] = field(default_factory=list)
    """Lines for people."""

    def dumps(self) -> bytes:
        """This report, for :func:`report_in`."""
        return pickle.dumps((self.value, self.failure, self.trouble, self.said))


@dataclass(frozen=True)
class Exited:
    """A process has ended, or could not be started."""

    token: int
    exit_status: int | None
    """Negative for a signal; None if it was lost with what started it, which is no fault of its own."""
    report: Report = field(default_factory=Report)
    refused: str | None = None
    """Why it could not be started."""

    interrupted: bool = False
    """Whether somebody ended it at the place where it ran, or waited."""

    @property
    def cause(self) -> str | None:
        """Why the job has no record of its end, if that is known."""
        return self.refused or self.report.trouble


@dataclass(frozen=True)
class Began:
    """A job that waited in a place's own queue runs now."""

    token: int
    where: str


@dataclass(frozen=True)
class Requeued:
    """A job that ran was told to make room, and waits in the place's queue again."""

    token: int


def report_in(content: bytes) -> Report:
    """The report that a job's process has left; an empty one if it was killed before it had."""
    try:
        return Report(*pickle.loads(content))
    except Exception:
        return Report()
