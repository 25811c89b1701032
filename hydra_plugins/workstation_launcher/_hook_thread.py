"""The thread in which an application's functions are called, beside the loop that starts jobs and keeps their times."""

import threading
import time
from collections import deque
from collections.abc import Callable

_SILENT_SECONDS = 2.0


class HookThread:
    """Makes calls one after another, in the order in which they are asked for.

    The thread lives only while there is something to call: this process can be forked whenever nothing is pending.
    """

    def __init__(self, name: str, say: Callable[[str], None]) -> None:
        """``name`` is what people know the calls by, and ``say`` tells them a line."""
        self._name, self._say = name, say
        self.deadline = float("inf")
        """When calls are given up, of ``time.monotonic``."""
        self._waited_since: float | None = None
        self._waiting: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_busy = False

    def call(self, hook: Callable[[], None]) -> None:
        """Have a function called, which must not raise; this does not wait for it."""
        with self._lock:
            self._waiting.append(hook)
            if not self._is_busy:
                self._is_busy = True
                # A daemon: a hook that never ends must not keep a sweep that was stopped from ending.
                self._thread = threading.Thread(target=self._work, name="launcher hooks", daemon=True)
                self._thread.start()

    @property
    def pending(self) -> int:
        """How many calls have not returned."""
        with self._lock:
            return len(self._waiting) + self._is_busy

    def wants_to_be_waited_for(self) -> bool:
        """Whether calls have not returned and their time is not up; asked when there is nothing else to do."""
        pending, now = self.pending, time.monotonic()
        if not pending:
            return False
        jobs = "1 job" if pending == 1 else f"{pending} jobs"
        if now >= self.deadline:
            self._say(f"{self._name} is given up for {jobs}")
            with self._lock:
                self._waiting.clear()
            return False
        if self._waited_since is None:
            self._waited_since = now
        elif now >= self._waited_since + _SILENT_SECONDS:
            self._say(f"waiting for {self._name} of {jobs}")
            self._waited_since = float("inf")
        return True

    def wait(self, seconds: float) -> None:
        """Return when all calls have returned and no thread is left, or after a while."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._is_busy = False
                    return
                hook = self._waiting.popleft()
            hook()
