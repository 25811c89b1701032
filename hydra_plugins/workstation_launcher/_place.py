"""Where jobs run: what the scheduler asks of this machine, of a Slurm cluster or of a Ray cluster."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, Self

from omegaconf import DictConfig

from hydra_plugins.workstation_launcher._messages import Began, Exited, Ready, Requeued, WorkOrder
from hydra_plugins.workstation_launcher._records import Status


class Place(Protocol):
    """Takes jobs, says what becomes of them, and passes signals on to them."""

    name: str
    """As it stands in the records of jobs, if it outlives the command."""
    queues: bool
    """Whether it has a queue of its own: it then takes any number of jobs, and keeps their time-outs."""
    outlives: bool
    """Whether that queue goes on when the command ends."""
    reports: int
    """File descriptor from which is read what jobs report of themselves."""
    progress: int
    """The one that they report to, for their orders."""

    def opened(self) -> Self:
        """Make it ready to take jobs.

        Raises:
            ApplicationError: if the application's jobs cannot run there.
        """
        ...

    def wait_until_ready(self) -> Ready:
        """How jobs are started there."""
        ...

    def fileno(self) -> int:
        """For ``select``: readable when :meth:`news` has something to say."""
        ...

    def start(self, token: int, order: WorkOrder, config: DictConfig) -> None:
        """Start a job, or have it ready for :meth:`submit`.

        Raises:
            OSError: if the place is gone, with all that ran there.
        """
        ...

    def submit(self) -> Mapping[int, str]:
        """Put what has been started into the place's queue, where it does not begin before :meth:`release`.

        Returns:
            The place's name for the job of each token; nothing where jobs begin at once.

        Raises:
            PlaceError: if the place takes none of them.
        """
        ...

    def release(self) -> None:
        """Let what was submitted begin: what it is called stands in its records now."""
        ...

    def adopt(self, token: int, number: int, status: Status, directory: Path) -> None:
        """Take charge of a job that an earlier command submitted; ``number`` is the job's in this one."""
        ...

    def news(self) -> Sequence[Exited | Began | Requeued]:
        """What has become of jobs since.

        Raises:
            EOFError: if the place is gone, with all that ran there.
        """
        ...

    def send_signal(self, token: int, number: int) -> None:
        """Send a signal to a job: ``SIGINT`` and ``SIGKILL`` end it, in a queue as well.

        Raises:
            OSError: if the place is gone.
        """
        ...

    def close(self) -> None:
        """Let go of it: kill what still runs, or leave it to itself where the place outlives the command."""
        ...
