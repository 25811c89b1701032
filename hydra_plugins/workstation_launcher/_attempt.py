"""One attempt at a job of a sweep: first it waits, then it runs."""

import time
from dataclasses import dataclass, field

from hydra_plugins.workstation_launcher._devices import Slot
from hydra_plugins.workstation_launcher._records import Status
from hydra_plugins.workstation_launcher._sweep import Job


@dataclass
class Waiting:
    """A job that waits for a slot."""

    job: Job
    attempt: int = 1
    """Of this command: 1, and one more for each retry."""
    excused: Status | None = None
    """The record of a start that does not count, for the disk's sake."""


@dataclass
class Running:
    """A job that has a slot, and a process there."""

    waited: Waiting
    slot: Slot
    status: Status
    """With which it started."""
    begun: float = field(default_factory=time.monotonic)
    deadline: float = float("inf")
    stopped: str | None = None
    """Why the launcher itself ends it, if it does."""
    waits: bool = False
    """Whether it is in the queue of a place that has one."""
    where: str = ""
    """Where in such a place it runs."""

    @property
    def job(self) -> Job:
        """What runs."""
        return self.waited.job
