"""Whether other processes take the cores that this one's threads need.

The threads of an operation wait for one another at its end, and do so in a loop: one that others keep from its core
holds up all of them, thousands of times an epoch.
"""

import os
import time
from pathlib import Path

_SHORTEST_SECONDS = 1.0
_SPARE_CORES = 0.5
"""What a machine that is not busy does besides."""


class Contention:
    """How busy the machine has been with other processes since this was made.

    Known on Linux only, and never said of one thread.
    """

    def __init__(self, threads: int) -> None:
        """``threads`` are those that compute in this process."""
        self._threads = threads
        self._begun, self._others = time.monotonic(), _seconds_of_others()

    def warning(self) -> str | None:
        """A line that names cause and cure, if there are fewer cores left than threads; None before it is known."""
        wall, others = time.monotonic() - self._begun, _seconds_of_others()
        if self._threads < 2 or wall < _SHORTEST_SECONDS or others is None or self._others is None:
            return None
        return describe(self._threads, os.cpu_count() or 1, (others - self._others) / wall)


def describe(threads: int, cores: int, taken: float) -> str | None:
    """The line for so many threads on a machine of so many cores, of which others take ``taken`` on average."""
    if threads < 2 or taken + threads <= cores + _SPARE_CORES:
        return None
    return (
        f"warning: other processes keep {taken:.1f} of {cores} cores busy, and {threads} threads that wait for one "
        "another can be many times slower there; training.threads=1 avoids it"
    )


def _seconds_of_others() -> float | None:
    """CPU time, seconds, that all other processes have had since the machine started."""
    try:
        # user, nice, system, idle, iowait, irq, softirq, steal (proc_stat(5)); guests are counted among the users.
        fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:9]
        busy = sum(int(fields[place]) for place in (0, 1, 2, 5, 6, 7))
        return busy / os.sysconf("SC_CLK_TCK") - time.process_time()
    except (OSError, ValueError, IndexError, AttributeError):
        return None
