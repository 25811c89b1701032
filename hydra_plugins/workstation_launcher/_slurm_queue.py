"""What Slurm's own programs say of jobs, and what they are told to do with them.

Accounting (``sacct``) is not there on every cluster: the queue is read, and a job that has left it is known by its
record.
"""

import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hydra.errors import CompactHydraException

_FORMAT = "%F|%K|%T|%N|%r|%k"
"""Array, index in it, state, node, reason, comment: the last may have the sign between them in it."""
_SECONDS = 60.0
_MOST_IN_A_LINE = 200
"""Jobs in one command line."""


class PlaceError(CompactHydraException):
    """A place that takes no jobs, or does not answer."""


@dataclass(frozen=True)
class Entry:
    """A job of this user's in Slurm's queue."""

    state: str
    """``PENDING``, ``RUNNING``, ``COMPLETING`` …"""
    node: str
    reason: str
    comment: str

    @property
    def runs(self) -> bool:
        """Whether it has a node."""
        return self.state in ("RUNNING", "SUSPENDED", "STOPPED", "SIGNALING", "RESIZING")

    @property
    def is_ending(self) -> bool:
        """Whether it only has its node cleaned up."""
        return self.state == "COMPLETING"


def queue() -> dict[str, Entry]:
    """This user's jobs that wait or run, by name: ``123_4``.

    Raises:
        PlaceError: if Slurm does not answer.
    """
    lines = ask("squeue", "--noheader", "--array", f"--user={os.getuid()}", f"--format={_FORMAT}").splitlines()
    found = {}
    for line in lines:
        array, index, state, node, reason, comment = line.split("|", 5)
        found[array if index == "N/A" else f"{array}_{index}"] = Entry(state, node, reason, comment)
    return found


def fate(job: str) -> tuple[str, str]:
    """The state of a job that has left the queue, and a few words on it; empty if Slurm has forgotten it."""
    try:
        said = ask("scontrol", "--oneliner", "show", "job", job)
    except PlaceError:
        return "", ""
    known = dict(re.findall(r"(JobState|Reason|ExitCode)=(\S+)", said))
    reason = known.get("Reason", "None")
    more = "" if reason == "None" else f", {reason}"
    return known.get("JobState", ""), f"exit code {known.get('ExitCode', 'unknown')}{more}"


def cancel(jobs: Sequence[str]) -> None:
    """Take jobs out of the queue; those that run get ``SIGTERM``, and some time to end.

    Raises:
        PlaceError: if Slurm does not answer; of jobs that are gone nothing is said.
    """
    for some in _in_lines(jobs):
        ask("scancel", "--quiet", *some)


def release(jobs: Iterable[str]) -> None:
    """Let jobs that were submitted on hold begin.

    Raises:
        PlaceError: if Slurm does not.
    """
    for job in jobs:
        ask("scontrol", "release", job)


def requeue(job: str) -> None:
    """Put a job that runs back into the queue.

    Raises:
        PlaceError: if Slurm does not.
    """
    ask("scontrol", "requeue", job)


def largest_array() -> int:
    """How many jobs an array may have.

    Raises:
        PlaceError: if Slurm does not answer.
    """
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", ask("scontrol", "show", "config"), re.MULTILINE)
    return int(found[1]) if found else 1000


def ask(*command: str, text: str | None = None, environment: Mapping[str, str] | None = None) -> str:
    """What a program of Slurm's prints.

    Args:
        command: the program and its arguments.
        text: its standard input.
        environment: its environment, if not this process's.

    Raises:
        PlaceError: if it is not there, fails, or takes longer than a minute.
    """
    try:
        done = subprocess.run(
            command, input=text, stdin=subprocess.DEVNULL if text is None else None, capture_output=True, text=True,
            errors="replace", timeout=_SECONDS, check=False, env=environment,
        )  # fmt: skip
    except FileNotFoundError:
        raise PlaceError(f"Slurm is not here: there is no {command[0]}") from None
    except subprocess.TimeoutExpired:
        raise PlaceError(f"{command[0]} has not answered for {_SECONDS:g} s") from None
    except OSError as error:
        raise PlaceError(f"{command[0]}: {error.strerror or error}") from None
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"exit status {done.returncode}"
        raise PlaceError(said if said.startswith(command[0]) else f"{command[0]}: {said}")
    return done.stdout


def _in_lines(jobs: Sequence[str]) -> Iterable[Sequence[str]]:
    return (jobs[first : first + _MOST_IN_A_LINE] for first in range(0, len(jobs), _MOST_IN_A_LINE))
