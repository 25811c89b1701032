"""What a sweep of thousands of jobs that do nothing takes, again when all are done, and as a dry run."""

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

APP = """
import atexit
from pathlib import Path

import hydra


@atexit.register
def note_peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    Path("peak").write_text(next(line for line in lines if line.startswith("VmHWM:")))


@hydra.main(version_base=None, config_path=None)
def nothing(config):
    return config.x


if __name__ == "__main__":
    nothing()
"""


@dataclass
class Measured:
    """One command."""

    seconds: float
    before: float
    """Seconds before the first job is started, or before the end where none is."""
    after: float
    """Seconds between the summary and the end of the process."""
    silent: float
    """The longest time without a line."""
    megabytes: float
    """The most memory that the command had at a time; its jobs are processes of their own."""


def measure(jobs: int) -> None:
    """Print a table: a sweep of ``jobs`` jobs, the same command again, and a dry run of twice as many."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "nothing.py").write_text(APP)
        rows = {
            f"{jobs:,} jobs": _run(folder, jobs),
            "the same again": _run(folder, jobs),
            f"dry run of {2 * jobs:,}": _run(folder, 2 * jobs, "hydra.launcher.dry_run=true"),
        }
    print(f"{'':22} {'seconds':>8} {'a job':>9} {'before':>7} {'after':>7} {'silent':>7} {'memory':>8}")
    for name, row in rows.items():
        each = 1000 * row.seconds / (2 * jobs if name.startswith("dry") else jobs)
        print(
            f"{name:22} {row.seconds:8.1f} {each:6.2f} ms {row.before:5.1f} s {row.after:5.1f} s {row.silent:5.1f} s "
            f"{row.megabytes:5.0f} MB"
        )


def _run(folder: str, jobs: int, *options: str) -> Measured:
    command = [
        sys.executable, "nothing.py", "-m", "hydra/launcher=workstation", "hydra.sweep.dir=sweep",
        f"+x=range({jobs})", *options,
    ]  # fmt: skip
    begun = time.monotonic()
    moments = [begun]
    first = summary = None
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            moments.append(time.monotonic())
            if first is None and " started on " in line:
                first = moments[-1]
            if "] sweep sweep: " in line or " jobs to do, " in line:
                summary = moments[-1]
        moments.append(time.monotonic())
    ended = time.monotonic()
    if process.returncode or summary is None:
        raise RuntimeError(f"{' '.join(command)}: exit status {process.returncode}")
    kilobytes = int((Path(folder) / "peak").read_text().split()[1])
    silent = max(later - earlier for earlier, later in zip(moments, [*moments[1:], ended], strict=True))
    return Measured(ended - begun, (first or summary) - begun, ended - summary, silent, kilobytes / 1024)
