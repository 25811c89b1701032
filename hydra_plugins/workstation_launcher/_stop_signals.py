"""Ctrl-C and its like while a sweep runs: they are counted, and wake the loop that heeds them."""

import contextlib
import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class StopSignals:
    """A context in which SIGINT, SIGTERM and SIGHUP are counted instead of ending the process."""

    def __init__(self) -> None:
        """Nothing is installed before the context is entered."""
        self.count = 0
        self.raises_at: float = float("inf")
        """From which signal on each is a ``KeyboardInterrupt`` where the process stands."""
        self._previous: dict[signal.Signals, Any] = {}
        self._wake, self._wake_up = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._wake_up, False)

    def __enter__(self) -> "StopSignals":
        """Install the handlers, if this is the main thread; signals that are ignored stay so, as under ``nohup``."""
        if threading.current_thread() is threading.main_thread():
            wanted = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
            heeded = [number for number in wanted if signal.getsignal(number) is not signal.SIG_IGN]
            self._previous = {number: signal.signal(number, self._on_signal) for number in heeded}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put back the handlers that were there."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        os.close(self._wake)
        os.close(self._wake_up)

    def fileno(self) -> int:
        """For ``select``: readable when a signal has come since :meth:`read`."""
        return self._wake

    def read(self) -> int:
        """How many signals have come so far."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4096)
        return self.count

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        with contextlib.suppress(BlockingIOError):  # full: it wakes anyhow
            os.write(self._wake_up, b"\0")
        if self.count >= self.raises_at:
            raise KeyboardInterrupt
