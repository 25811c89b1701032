"""The channel by which a running job tells the sweep how far it is, and is told whether to go on.

A job writes lines of JSON, each at most :data:`LONGEST_LINE` bytes so that the lines of several jobs never mix, to one
pipe that all jobs of a sweep share. The answer to a value is a small file in the job's own directory.
"""

import json
import os
import stat
import time
from pathlib import Path
from typing import Any

from hydra_plugins.workstation_launcher._atomic_files import write_json
from hydra_plugins.workstation_launcher._plain_files import read_object

DESCRIPTOR = "HYDRA_WORKSTATION_PROGRESS"
"""Environment variable of a job: the pipe's file descriptor and the job's number in the sweep, ``fd:number``."""

ANSWERS = "HYDRA_WORKSTATION_ANSWERS"
"""Environment variable of a job whose values somebody wants: the directory in which the answers to them are found."""

ANSWER = ".answer.json"
_PATIENCE_SECONDS = 1.0
_FIRST_LOOK_SECONDS, _LAST_LOOK_SECONDS = 0.001, 0.05

LONGEST_LINE = 512  # POSIX promises that writes of up to 512 bytes to a pipe are atomic


def in_job() -> bool:
    """Whether this process runs a job for the workstation launcher, which then keeps its ``status.json``."""
    return DESCRIPTOR in os.environ


def report(message: str, *, done: float | None = None) -> None:
    """Show ``message`` beside this job in the sweep's display; does nothing outside a sweep, and never raises.

    Args:
        message: short text, such as ``"epoch 2/5, validation accuracy 97.1 %"``.
        done: how much of the job is done, from 0 to 1; makes the display's estimate of the time left better.
    """
    address = os.environ.get(DESCRIPTOR)
    if address is None:
        return
    try:
        descriptor, number = map(int, address.split(":"))
        if _is_the_pipe(descriptor):
            # The pipe does not block: a display that is not read from (Ctrl-Z) must not stop the jobs.
            os.write(descriptor, line_of(number, str(message), _fraction(done)))
    except (OSError, ValueError):
        pass


class Pruned(Exception):  # noqa: N818 - it is no error
    """Raised (or returned) by a task that ends early because :func:`report_value` has said so."""


def report_value(step: int, value: float) -> bool:
    """Tell whoever searches how good this job is so far, and learn whether it is hopeless.

        if report_value(epoch, accuracy):
            raise Pruned(f"epoch {epoch}")

    Does nothing outside a search, and never raises. It waits for the answer, which takes some milliseconds; a second at
    most, and the job then goes on. A job that was pruned and is run again later, without a search, should go on from
    where it stopped, as after an interruption.

    Args:
        step: how far the job is, a whole number that grows: the epoch.
        value: the measure that is searched for, so far.

    Returns:
        Whether to stop now, by raising :class:`Pruned`.
    """
    address, folder = os.environ.get(DESCRIPTOR), os.environ.get(ANSWERS)
    if address is None or folder is None:
        return False
    try:
        descriptor, number = map(int, address.split(":"))
        line = json.dumps({"job": number, "step": int(step), "value": float(value)}).encode() + b"\n"
        if not _is_the_pipe(descriptor):
            return False
        os.write(descriptor, line)
    except (OSError, TypeError, ValueError, OverflowError):
        return False
    return _answered(Path(folder), int(step))


def _answered(folder: Path, step: int) -> bool:
    wait, deadline = _FIRST_LOOK_SECONDS, time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            content = read_object(folder / ANSWER)
            if content.get("prune") is True:
                return True
            if content.get("step") == step:
                return False
        except (OSError, ValueError):
            pass  # not there yet
        if time.monotonic() > deadline:
            return False
        time.sleep(wait)
        wait = min(2 * wait, _LAST_LOOK_SECONDS)


def answer(directory: Path, step: int, *, prune: bool) -> None:
    """Answer the value that a job has reported for a step.

    Raises:
        OSError: if its directory cannot be written.
    """
    write_json(directory / ANSWER, {"step": step, "prune": prune})


def _is_the_pipe(descriptor: int) -> bool:
    """A program that a job starts inherits the variable but not the pipe, and may have a file of its own there."""
    return stat.S_ISFIFO(os.fstat(descriptor).st_mode) and not os.get_blocking(descriptor)


def line_of(number: int, message: str, done: float | None) -> bytes:
    """A report of a job as a line of the pipe, at most :data:`LONGEST_LINE` bytes of it."""
    while True:
        content = {"job": number, "message": message, "done": done}
        line = json.dumps(content, ensure_ascii=False).encode(errors="replace") + b"\n"
        if len(line) <= LONGEST_LINE:
            return line
        message = message[: min(len(message) * 3 // 4, LONGEST_LINE)]


def _fraction(done: Any) -> float | None:
    """A number above 0 and up to 1, or None: what comes out of a job may be anything."""
    try:
        value = float(done)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if 0 < value <= 1 else None


class Reports:
    """What the running jobs have said of themselves last."""

    def __init__(self) -> None:
        """Nothing has been said."""
        self._said: dict[int, tuple[str, float | None]] = {}
        self._unread = b""
        self._values: list[tuple[int, int, float]] = []

    def read(self, pipe: int) -> None:
        """Take in what is in the pipe; anything that a job's processes have inherited it to may write into it."""
        try:
            self._unread += os.read(pipe, 1 << 16)
        except OSError:
            return
        *lines, rest = self._unread.split(b"\n")
        self._unread = rest[-LONGEST_LINE:]
        for line in lines:
            try:
                content = json.loads(line)
                if "step" in content:
                    self._values.append((int(content["job"]), int(content["step"]), float(content["value"])))
                    continue
                self._said[int(content["job"])] = (str(content["message"]), _fraction(content.get("done")))
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
                continue  # not a report

    def take_values(self) -> list[tuple[int, int, float]]:
        """Number, step and value of each report of a value since this was last asked."""
        values, self._values = self._values, []
        return values

    def forget(self, number: int) -> None:
        """A job starts anew."""
        self._said.pop(number, None)

    def message(self, number: int) -> str:
        """What a job has said; empty if nothing."""
        return self._said.get(number, ("", None))[0]

    def done(self, number: int) -> float | None:
        """How much of a job is done, above 0 and up to 1; None if it has not said."""
        return self._said.get(number, ("", None))[1]
