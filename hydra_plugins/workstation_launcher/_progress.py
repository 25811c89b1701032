"""The channel by which a running job tells the sweep's display how far it is.

A job writes lines of JSON, each at most :data:`LONGEST_LINE` bytes so that the lines of several jobs never mix, to one
pipe that all jobs of a sweep share.
"""

import json
import os

DESCRIPTOR = "HYDRA_WORKSTATION_PROGRESS"
"""Environment variable of a job: the pipe's file descriptor and the job's number in the sweep, ``fd:number``."""

LONGEST_LINE = 512  # POSIX promises that writes of up to 512 bytes to a pipe are atomic


def in_job() -> bool:
    """Whether this process runs a job for the workstation launcher, which then keeps its ``status.json``."""
    return DESCRIPTOR in os.environ


def report(message: str, *, done: float | None = None) -> None:
    """Show ``message`` beside this job in the sweep's display; does nothing outside a sweep.

    Args:
        message: short text, such as ``"epoch 2/5, validation accuracy 97.1 %"``.
        done: how much of the job is done, from 0 to 1; makes the display's estimate of the time left better.
    """
    address = os.environ.get(DESCRIPTOR)
    if address is None:
        return
    descriptor, number = address.split(":")
    line = json.dumps({"job": int(number), "message": message[:160], "done": done}).encode() + b"\n"
    try:
        # The pipe does not block: a display that is not read from (Ctrl-Z) must not stop the jobs.
        if len(line) <= LONGEST_LINE:
            os.write(int(descriptor), line)
    except OSError:
        pass
