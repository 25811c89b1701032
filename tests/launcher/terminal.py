"""A terminal of the test's own, in which a command runs."""

import contextlib
import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path


class Terminal:
    """A command in a new session that this terminal controls; what it prints is collected."""

    def __init__(
        self,
        command: list[str],
        folder: Path,
        environment: dict[str, str],
        *,
        size: tuple[int, int] = (24, 80),
        deaf_to_hangup: bool = False,
    ) -> None:
        """``size`` in lines and columns; ``deaf_to_hangup`` as ``nohup`` makes it."""
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))

        def enter() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.signal(signal.SIGHUP, signal.SIG_IGN if deaf_to_hangup else signal.SIG_DFL)

        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True, preexec_fn=enter,
        )  # fmt: skip
        os.close(theirs)
        self.shown = b""

    def read_until(self, condition: Callable[[], object], seconds: float = 60) -> None:
        """Read what is printed until a condition holds."""
        deadline = time.monotonic() + seconds
        os.set_blocking(self._ours, False)
        while not condition():
            assert time.monotonic() < deadline, self.shown.decode(errors="replace")
            with contextlib.suppress(OSError):  # nothing to read
                self.shown += os.read(self._ours, 1 << 16)
            time.sleep(0.01)

    def read_to_the_end(self, seconds: float = 60) -> str:
        """All that is printed until the command has ended; its exit status is ``process.returncode``."""
        self.read_until(lambda: self.process.poll() is not None, seconds)
        with contextlib.suppress(OSError):
            while more := os.read(self._ours, 1 << 16):
                self.shown += more
        os.close(self._ours)
        return self.shown.decode(errors="replace")

    def close(self) -> None:
        """The window is closed: the command gets SIGHUP, and its writes fail with EIO."""
        os.close(self._ours)
