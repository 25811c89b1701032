"""Jobs that an earlier command put into the queue of a place that outlives it: they must not get a second copy."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from hydra.errors import CompactHydraException

from hydra_plugins.workstation_launcher._records import State
from hydra_plugins.workstation_launcher._sweep import Job

_MOST_NAMED = 5


class HeldElsewhereError(CompactHydraException):
    """Jobs of the sweep wait or run at another place."""


def find_held(jobs: Iterable[Job], here: str | None, directory: Path) -> None:
    """Note which jobs are in the queue of the place where they would be run, and do not get a second copy there.

    Args:
        jobs: those of the sweep; what their records say is made sure of by asking the place.
        here: the name of the place where this command runs jobs, if that outlives it.
        directory: the sweep's.

    Raises:
        HeldElsewhereError: if jobs are in the queue of another place, or may be.
    """
    by_place: dict[str, dict[str, Job]] = {}
    for job in jobs:
        earlier = job.earlier
        if not job.is_to_run or earlier is None or not (earlier.place and earlier.place_job):
            continue
        # A job that was preempted says that it was interrupted, and waits again.
        if earlier.state in (State.queued, State.running, State.interrupted):
            name = earlier.place_job.removeprefix(f"{earlier.place} ")
            by_place.setdefault(earlier.place, {})[name] = job
    for place, named in by_place.items():
        live = live_jobs(place)
        if live is None:
            held = {name: job for name, job in named.items() if job.earlier and not job.earlier.is_final}
            why = f"{place} cannot be asked from here"
        else:
            held = {name: job for name, job in named.items() if name in live}
            why = f"they are in the queue of {place}"
        if not held:
            continue
        if place != here or live is None:
            raise HeldElsewhereError(_refusal(place, held, directory, why))
        for job in held.values():
            job.is_held = True


def live_jobs(place: str) -> Mapping[str, object] | None:
    """The jobs of this user that wait or run at a place, by the names that it has for them; None if it does not say."""
    if place != "slurm":
        return None
    from hydra_plugins.workstation_launcher import _slurm_queue

    try:
        return _slurm_queue.queue()
    except _slurm_queue.PlaceError:
        return None


def _refusal(place: str, held: Mapping[str, Job], directory: Path, why: str) -> str:
    names = list(held)
    shown = " ".join(names[:_MOST_NAMED]) + (" ..." if len(names) > _MOST_NAMED else "")
    jobs = "1 job is" if len(names) == 1 else f"{len(names)} jobs are"
    return (
        f"{directory}: {jobs} queued or running at {place} ({shown}), and would run twice: {why}; "
        f"hydra/launcher={place} attaches to them, scancel takes them out"
    )
