"""A sweep whose processes are killed at random moments, while clocks are set and its disk is full, loses nothing.

``KILLS=200 python -m pytest -m slow tests/test_kills.py`` does it as often as that; by default it is a few times.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, SMALL_SWEEP
from tests.launcher.conftest import processes_that_know
from tests.test_torture import environment, outcome

KILLS = int(os.environ.get("KILLS", "12"))
RUNS = 6
COMMAND = [
    sys.executable, str(REPOSITORY / "tests" / "sabotaged_train.py"), "-m", *SMALL_SWEEP, "sweep=torture",
    f"seed=range({RUNS})", "training.epochs=4", "hydra.launcher.jobs_per_device=2",
]  # fmt: skip
CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void) {
    char text[32] = "0";
    int file = open(getenv("CLOCK_OFFSET"), O_RDONLY | O_CLOEXEC);
    if (file >= 0) { ssize_t got = read(file, text, 31); if (got > 0) text[got] = 0; close(file); }
    return atol(text);
}
int clock_gettime(clockid_t clock, struct timespec *found) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(clock, found);
    if (clock == CLOCK_REALTIME) found->tv_sec += offset();
    return status;
}
time_t time(time_t *found) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (found) *found = now.tv_sec;
    return now.tv_sec;
}
int gettimeofday(struct timeval *found, void *zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    found->tv_sec = now.tv_sec;
    found->tv_usec = now.tv_nsec / 1000;
    return 0;
}
"""


def children(process: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_bytes().split()]
    return []


def victim(choice: random.Random, launcher: int) -> int:
    """The launching process, the one that starts the jobs, or a job."""
    server = children(launcher)[:1]
    jobs = children(server[0]) if server else []
    return choice.choice(choice.choice([[launcher], server or [launcher], jobs or [launcher]]))


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """A file whose number of seconds is what the processes' clocks are ahead."""
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler, to set clocks")
    (tmp_path / "clock.c").write_text(CLOCK)
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", "clock.so", "clock.c", "-ldl"]
    subprocess.run(command, cwd=tmp_path, check=True)
    offset = tmp_path / "offset"
    offset.write_text("-86400")
    variables = os.environ | {"LD_PRELOAD": str(tmp_path / "clock.so"), "CLOCK_OFFSET": str(offset)}
    program = "import datetime, time; print(time.time(), datetime.datetime.now().timestamp())"
    told = subprocess.run([sys.executable, "-c", program], env=variables, check=True, capture_output=True).stdout
    assert all(time.time() - float(seconds) > 80_000 for seconds in told.split())
    offset.write_text("0")
    return offset


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for a sweep and little more."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs to mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path) -> None:
    with contextlib.suppress(OSError), (place / "ballast").open("wb") as file:
        while True:
            file.write(bytes(1 << 16))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_kills_at_random_moments_lose_nothing(tmp_path: Path, clock: Path, disk: Path) -> None:
    calm = tmp_path / "calm"
    calm.mkdir()
    subprocess.run(COMMAND, cwd=calm, env=environment(calm) | {"CALM": "1"}, check=True, capture_output=True)
    expected = outcome(calm)
    variables = environment(disk) | {
        "CALM": "1", "LD_PRELOAD": str(clock.with_name("clock.so")), "CLOCK_OFFSET": str(clock),
    }  # fmt: skip
    choice = random.Random(KILLS)
    kills = 0
    while kills < KILLS:
        process = subprocess.Popen(
            COMMAND, cwd=disk, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        deadline = time.monotonic() + choice.uniform(0.3, 7)
        while process.poll() is None and time.monotonic() < deadline:
            event = choice.random()
            if event < 0.15:
                clock.write_text(str(choice.choice([0, -2, -86_400, 3600])), encoding="ascii")
            elif event < 0.2:
                fill(disk)
                time.sleep(choice.uniform(0, 1))
                (disk / "ballast").unlink(missing_ok=True)
            time.sleep(0.2)
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim(choice, process.pid), signal.SIGKILL)
            kills += 1
        shown, _ = process.communicate(timeout=120)
        assert process.returncode in (0, 1, -signal.SIGKILL), shown
        # What Hydra itself writes first knows nothing of full disks.
        assert "Traceback" not in shown or "multirun.yaml" in shown, shown
        if process.returncode == 0:
            assert outcome(disk) == expected
            shutil.rmtree(disk / "outputs")
            (disk / "notes").unlink()
    done = subprocess.run(COMMAND, cwd=disk, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert outcome(disk) == expected
    notes = [line.split() for line in (disk / "notes").read_text().splitlines()]
    assert not [note for note in notes if note[2] == "True"], "a completed run was trained again"
    deadline = time.monotonic() + 10
    while processes_that_know(disk / "notes") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not processes_that_know(disk / "notes")
