"""The end of a forked job: that of an interpreter, for what the job has begun, and for nothing that was there before.

A fork has all that the process had from which it was forked: functions to be called at its exit, temporary folders to
be removed, text that waits to be written, processes to be waited for. Those are for that process to see to. It ends
with ``os._exit``, for taking down an interpreter that has loaded PyTorch takes a second.
"""

import atexit
import contextlib
import gc
import io
import logging
import os
import sys
import threading
import weakref
from typing import Any

_PLAIN = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)


def flush_streams() -> None:
    """Write out what waits to be written, in all files that are open: a fork would write it again."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    for each in gc.get_objects():
        if issubclass(type(each), _PLAIN):
            with contextlib.suppress(Exception):
                if not each.closed:
                    each.flush()


def disown() -> list[Any]:
    """Make the forks of this process forget what it would do at its own exit, which it then must not do either.

    Returns:
        The files that are open for writing, which :func:`leave` is to be given.
    """
    for finalizer in list(weakref.finalize._registry):  # type: ignore[attr-defined]
        finalizer.atexit = False
    util, process = sys.modules.get("multiprocessing.util"), sys.modules.get("multiprocessing.process")
    if util is not None and process is not None:
        util._finalizer_registry.clear()
        process._children.clear()
    files = [each for each in gc.get_objects() if issubclass(type(each), _PLAIN)]
    # What is there already need not be looked at again, in any of the forks.
    gc.collect()
    gc.freeze()
    return files


class Leaving:
    """How a job's process will end."""

    def __init__(self, files: list[Any]) -> None:
        """At its beginning: functions that are registered from now on are called at its end, and no others.

        Args:
            files: what :func:`disown` found.
        """
        self._files, self._status = files, 1
        # The functions are called from the last to the first, and this one never returns to those before.
        atexit.register(self._end)

    def leave(self, status: int) -> None:
        """End this process with an exit status, as an interpreter would."""
        self._status = status
        with contextlib.suppress(BaseException):
            threading._shutdown()  # type: ignore[attr-defined]
        with contextlib.suppress(BaseException):
            atexit._run_exitfuncs()
        os._exit(status)

    def _end(self) -> None:
        try:
            # What these modules register when they are imported, which may have been before the fork.
            weakref.finalize._exitfunc()  # type: ignore[attr-defined]
            if "multiprocessing.util" in sys.modules:
                sys.modules["multiprocessing.util"]._exit_function()
            logging.shutdown()
            _close_wrappers()
            for each in self._files:
                with contextlib.suppress(Exception):
                    if not each.closed:
                        each.flush()
            flush_streams()
        finally:
            os._exit(self._status)


def _close_wrappers() -> None:
    """Files around files, such as a ``GzipFile``, have an end to write; the interpreter closes what it takes down."""
    for each in gc.get_objects():
        kind = type(each)
        if issubclass(kind, io.IOBase) and kind.__module__ not in ("io", "_io"):
            with contextlib.suppress(Exception):
                each.close()
