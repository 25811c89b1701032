"""One command at a time works on a sweep's directory.

On one machine a lock sees to that, which ends with the process that has it, however it ends. Between machines a lock
may mean nothing (some network file systems have none), and clocks may differ: there the command at work changes a file
every few seconds, and another one watches for as long by its own clock whether that happens.
"""

import atexit
import contextlib
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from hydra.errors import CompactHydraException

from hydra_plugins.workstation_launcher._plain_files import read_plain

_KILLED_SECONDS = 15.0
"""How long a command waits for the jobs of one that was killed to end."""
_ALIVE = ".alive"
_BEAT_SECONDS = 3.0
"""How often a command gives a sign of life."""
_SILENT_SECONDS = 15.0
"""After how long without one a command on another machine is held to be gone."""


class SweepInUseError(CompactHydraException):
    """Another command is at work in the sweep's directory."""


class SweepLock:
    """Keeps other commands out of a sweep, from :meth:`take` until this process ends, however it does."""

    def __init__(self, directory: Path) -> None:
        """``directory`` is the sweep's."""
        self._directory = directory
        self._lock: FileLock | None = None
        self._name = secrets.token_hex(4)
        self._beats, self._next_beat = 0, 0.0

    @property
    def file(self) -> Path | None:
        """What is locked; None before that."""
        return None if self._lock is None else Path(self._lock.lock_file)

    def take(self, read_owner: Callable[[], Mapping[str, Any]]) -> None:
        """Take it, and make the directory.

        A command that was killed has it until the last of its jobs is gone, and that is waited for.

        Args:
            read_owner: reads the sweep's record, which says what command wrote it.

        Raises:
            SweepInUseError: if another command has it.
        """
        if self._lock is not None:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._directory / ".lock", is_singleton=True)  # of this process, for all its sweeps here
        try:
            try:
                lock.acquire(timeout=0)
            except Timeout:
                lock.acquire(timeout=_KILLED_SECONDS if process_is_gone(read_owner()) else 0)
        except Timeout:
            owner = read_owner()
            since = f" (process {owner['pid']} on {owner['host']}, since {owner['updated']})" if owner else ""
            raise SweepInUseError(f"{self._directory}: another command is at work on this sweep{since}") from None
        owner = read_owner()
        if owner.get("host") not in (None, socket.gethostname()) and self._gives_signs_of_life():
            lock.release()
            raise SweepInUseError(
                f"{self._directory}: another command is at work on this sweep (process {owner.get('pid')} on "
                f"{owner['host']}, since {owner.get('updated')})"
            )
        self._lock = lock
        atexit.register(self.release)

    def beat(self) -> None:
        """Give a sign of life to other machines; to be called often."""
        if self._lock is None or time.monotonic() < self._next_beat:
            return
        self._next_beat = time.monotonic() + _BEAT_SECONDS
        self._beats += 1
        # The same file each time: on NFS, one that takes another's name may be seen late.
        with contextlib.suppress(OSError):
            (self._directory / _ALIVE).write_text(f"{self._name} {self._beats:10}\n", encoding="ascii")

    def _gives_signs_of_life(self) -> bool:
        """Whether somebody changes the file; where there is none, nobody is at work."""
        first = self._sign()
        deadline = time.monotonic() + _SILENT_SECONDS
        while first is not None and time.monotonic() < deadline:
            time.sleep(min(1.0, _SILENT_SECONDS / 10))
            if self._sign() not in (first, b"", None):
                return True
        return False

    def _sign(self) -> bytes | None:
        with contextlib.suppress(OSError):
            return read_plain(self._directory / _ALIVE, 100)
        return None

    def release(self) -> None:
        """Let others in."""
        if self._lock is not None:
            if self._beats:
                with contextlib.suppress(OSError):
                    (self._directory / _ALIVE).unlink()
            self._lock.release()


def process_is_gone(owner: Mapping[str, Any]) -> bool:
    """Whether the command that wrote a sweep's record has ended; False where that cannot be known from here."""
    if owner.get("host") != socket.gethostname() or not isinstance(owner.get("pid"), int):
        return False
    try:
        os.kill(owner["pid"], 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # it is there, and somebody else's
    return False
