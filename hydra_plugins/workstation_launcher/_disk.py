"""Whether the disk takes what a sweep writes. Where it does not, nothing more is started until it does again."""

import contextlib
import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

EXIT_STATUS = 75
"""``EX_TEMPFAIL`` of sysexits.h: a job's process that cannot begin, or cannot keep its record, because of the disk."""

_PROBE = ".probe"
_PROBE_BYTES = 1 << 16  # room for the records of the jobs that would start
_PROBE_SECONDS = 2.0
_LONGEST_SECONDS = 320.0
_NEVER = float("-inf")


class Disk:
    """The disk under a sweep's folder, which may be full, gone, or no longer ours to write to."""

    def __init__(self, directory: Path, say: Callable[[str], None]) -> None:
        """``directory`` is the sweep's; ``say`` tells people a line."""
        self._directory, self._say = directory, say
        self._next_probe = _NEVER
        self._excused: set[int] = set()
        self._in_a_row = 0

    @property
    def next_probe(self) -> float:
        """When :meth:`allows_starts` will look again, of ``time.monotonic``; minus infinity outside of a pause."""
        return self._next_probe

    def trouble(self) -> str | None:
        """What keeps a small file from being written into the sweep's folder at this moment, if anything does."""
        path = self._directory / _PROBE
        try:
            with path.open("wb") as file:
                file.write(bytes(_PROBE_BYTES))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
        except OSError as error:
            with contextlib.suppress(OSError):
                path.unlink()
            return f"{self._directory}: {error.strerror}"
        return None

    def pause(self, cause: str, seconds: float = _PROBE_SECONDS) -> None:
        """Start nothing for a while, and then only if the disk can be written."""
        if self._next_probe == _NEVER:
            self._say(f"paused: {cause}; jobs start again when it can be written, Ctrl-C stops")
        self._next_probe = time.monotonic() + seconds

    def allows_starts(self) -> bool:
        """Whether jobs may start; in a pause this looks every few seconds."""
        if self._next_probe == _NEVER:
            return True
        if time.monotonic() < self._next_probe:
            return False
        if self.trouble() is not None:
            self._next_probe = time.monotonic() + _PROBE_SECONDS
            return False
        self._next_probe = _NEVER
        self._say(f"{self._directory} can be written: the sweep goes on")
        return True

    def excuse(self, number: int, suspected: str | None) -> str | None:
        """Why a job's failure is the disk's fault, if it is; the sweep then pauses, and the job is still to be done.

        While the disk works, an error of the job's own that speaks of it counts as such once: the next time the job may
        be too large for any disk, or its directory be spoilt. Many of those in a row make pauses longer and longer,
        so that jobs for which there is a little too little room do not use up the queue.

        Args:
            number: the job's.
            suspected: its error, if that is one of a disk.
        """
        trouble = self.trouble()
        if trouble is not None:
            self.pause(trouble)
            return trouble
        if suspected is None or number in self._excused:
            return None
        self._excused.add(number)
        self.pause(f"#{number}: {suspected}", min(_LONGEST_SECONDS, _PROBE_SECONDS * 2**self._in_a_row))
        self._in_a_row += 1
        return suspected

    def has_taken(self) -> None:
        """A job has been completed: there was room for it."""
        self._in_a_row = 0


def until_written(write: Callable[[], None], directory: Path, say: Callable[[str], None]) -> None:
    """Write something of a sweep in ``directory``, however long the disk keeps it from being written.

    Raises:
        OSError: if it cannot be written though the folder can.
    """
    disk = Disk(directory, say)
    while True:
        try:
            write()
        except OSError as error:
            if disk.excuse(0, told(error, directory)) is None:
                raise
        else:
            return
        while not disk.allows_starts():
            time.sleep(max(0.0, disk.next_probe - time.monotonic()))


def is_out_of_room(error: str | None) -> bool:
    """Whether a job's error says that a disk or a quota is full."""
    return error is not None and any(os.strerror(code) in error for code in (errno.ENOSPC, errno.EDQUOT))


def told(error: OSError, path: Path) -> str:
    """An error of the disk in a few words, with the file or else ``path``."""
    return f"{error.filename or path}: {error.strerror or error}"
