"""Processes and what is below them, as Linux tells of them; elsewhere nothing is known of other than one's children."""

import contextlib
import ctypes
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Collection
from pathlib import Path

_SET_PARENT_DEATH_SIGNAL, _SET_CHILD_SUBREAPER = 1, 36  # PR_SET_... of linux/prctl.h
_LOOK_SECONDS = 0.002
_THREAD_SECONDS = 0.2
"""How long a thread that has been joined may still be listed."""


def die_with_parent() -> None:
    """Have this process killed when the one that forked it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def adopt_orphans(*, adopt: bool = True) -> None:
    """Become the parent of whatever process below this one loses its own, instead of ``init``; or no longer."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, int(adopt))


def children() -> set[int]:
    """The processes whose parent is this one, those that have ended and were not waited for included."""
    try:
        listing = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    except OSError:
        return set()
    return {int(process) for process in listing.split()}


def kill_children(is_meant: Callable[[int], bool], seconds: float) -> None:
    """Kill the children that are meant, and theirs as they come to this process, until there are none or time is up.

    Theirs come only to a process that adopts orphans.
    """
    deadline = time.monotonic() + seconds
    while left := [process for process in children() if is_meant(process)]:
        for process in left:
            send_signal(process, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, os.WNOHANG)
        if time.monotonic() > deadline:
            return
        time.sleep(_LOOK_SECONDS)


def send_signal(process: int, number: int) -> None:
    """Send a signal to a process; ``SIGKILL`` to all of the session that it leads."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process, number)
    if number == signal.SIGKILL:
        # Its session, which it does not have in its first moments.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process, number)


def session_of(process: int) -> int | None:
    """The session that a process is in, or None if there is no such process."""
    try:
        return os.getsid(process)
    except (ProcessLookupError, PermissionError):
        return None


def reap(jobs: Collection[int]) -> tuple[int, int] | None:
    """A child that has ended, and its wait status; what is left of the session of a job is killed first."""
    try:
        if not hasattr(os, "waitid"):  # macOS
            process, status = os.waitpid(-1, os.WNOHANG)
            if process in jobs:
                send_signal(process, signal.SIGKILL)
            return (process, status) if process else None
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        # While it has not been waited for, the number of its session cannot be given to another.
        if ended.si_pid in jobs:
            send_signal(ended.si_pid, signal.SIGKILL)
        return os.waitpid(ended.si_pid, 0)
    except ChildProcessError:
        return None


def why_not_to_fork(*, forced: bool) -> str | None:
    """Why forks of this process would not work, if so.

    It is forked to find out: some pools of threads, such as OpenBLAS's, end for a fork and begin anew after it.

    Args:
        forced: whether threads that run Python code are no reason, and only those are that nobody knows of.
    """
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return "the application starts CUDA when it is imported"
    known = len(sys._current_frames()) - 1
    if known and not forced:
        return "the application starts threads when it is imported"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that there are threads is what is looked at
        probe = os.fork()
    if probe == 0:
        os._exit(0)
    os.waitpid(probe, 0)
    if _other_threads(known) > known:
        return "the application starts threads when it is imported, such as OpenMP's, that a fork would not have"
    return None


def _other_threads(known: int) -> int:
    """The threads of this process besides this one; those that are just ending do not count."""
    deadline = time.monotonic() + _THREAD_SECONDS
    while True:
        try:
            threads = len(os.listdir("/proc/self/task")) - 1  # noqa: PTH208 - names are enough
        except OSError:
            return known
        if threads <= known or time.monotonic() > deadline:
            return threads
        time.sleep(_LOOK_SECONDS)
