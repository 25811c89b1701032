"""A disk that is full, gone or spoilt under a running sweep: it pauses, and no job is failed for it."""

import contextlib
import errno
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hydra_plugins.workstation_launcher import _disk
from hydra_plugins.workstation_launcher._disk import Disk, is_out_of_room, until_written
from tests.launcher.conftest import App

WaitFor = Callable[..., None]

WRITING = """
import errno, os, time
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig


@hydra.main(version_base=None, config_path=None)
def app(config):
    with open(os.environ["NOTES"], "a") as file:
        file.write(f"{config.x}\\n")
    here = Path(HydraConfig.get().runtime.output_dir)
    if config.get("full") and config.x == 0:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "elsewhere")
    if (gate := Path("gate")).exists() and config.x == 1:
        (here / "waiting").touch()
        while gate.exists():
            time.sleep(0.01)
    (here / "result").write_text("result" * 1000)
    return config.x


if __name__ == "__main__":
    app()
"""


@pytest.fixture
def writing(app: App) -> App:
    (app.folder / "app.py").write_text(WRITING)
    return app


@pytest.fixture
def small_disk(writing: App) -> Iterator[Path]:
    """A file system of 1 MiB on which the sweep lies."""
    mounted = writing.folder / "disk"
    mounted.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mounted)], check=False)
    if made.returncode:
        pytest.skip("only root may mount a file system")
    writing.sweep = mounted / "sweep"
    yield mounted
    subprocess.run(["umount", "-l", str(mounted)], check=True)


def fill(disk: Path) -> Path:
    """Leave no room on a file system."""
    path = disk / "filler"
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return path


def log_of(app: App) -> str:
    return (app.folder / "log").read_text()


def begin(app: App, *overrides: str) -> "subprocess.Popen[bytes]":
    with (app.folder / "log").open("wb") as log:
        return subprocess.Popen(
            app.command(*overrides, "hydra.launcher.jobs_per_device=1"),
            cwd=app.folder,
            env=app.environment,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )


def until_second_job_runs(app: App, wait_for: WaitFor) -> "subprocess.Popen[bytes]":
    (app.folder / "gate").touch()
    process = begin(app, "+x=range(6)")
    wait_for(lambda: (app.sweep / "1" / "waiting").exists())
    return process


def states(app: App) -> list[str]:
    return [app.status(number)["state"] for number in range(6)]


def test_a_full_disk_pauses_the_sweep_and_costs_no_job(writing: App, small_disk: Path, wait_for: WaitFor) -> None:
    process = until_second_job_runs(writing, wait_for)
    filler = fill(small_disk)
    (writing.folder / "gate").unlink()
    wait_for(lambda: "paused: " in log_of(writing))
    assert f"paused: {writing.sweep}: No space left on device; " in log_of(writing)
    assert writing.ran() == ["0", "1"]
    filler.unlink()
    assert process.wait(60) == 0, log_of(writing)
    assert states(writing) == ["completed"] * 6
    assert {writing.status(number)["attempts"] for number in range(6)} == {1}
    assert "failed" not in log_of(writing)
    assert writing.ran() == ["0", "1", "1", "2", "3", "4", "5"]
    assert not (writing.sweep / ".probe").exists()


def test_ctrl_c_in_a_pause_leaves_the_jobs_to_be_done(writing: App, small_disk: Path, wait_for: WaitFor) -> None:
    process = until_second_job_runs(writing, wait_for)
    filler = fill(small_disk)
    (writing.folder / "gate").unlink()
    wait_for(lambda: "paused: " in log_of(writing))
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert "1 completed, 1 interrupted, 4 not started" in log_of(writing)
    assert "Traceback" not in log_of(writing)
    filler.unlink()
    again = writing.run("+x=range(6)")
    assert again.returncode == 0, again.stdout
    assert "1 already done, 5 to run" in again.stdout
    assert states(writing) == ["completed"] * 6


@pytest.mark.slow
def test_a_disk_that_is_full_between_batches_pauses_the_sweep(
    writing: App, small_disk: Path, wait_for: WaitFor
) -> None:
    (writing.folder / "hooks.py").write_text(
        "from pathlib import Path\n"
        "def sweep(sweep):\n"
        "    if not Path('was_full').exists():\n"
        "        Path('was_full').touch()\n"
        "        with open(sweep.parent / 'filler', 'wb', buffering=0) as file:\n"
        "            while True:\n"
        "                file.write(bytes(4096))\n"
    )
    process = begin(writing, "+x=range(3)", "hydra.sweeper.max_batch_size=1", "hydra.launcher.on_sweep_end=hooks.sweep")
    wait_for(lambda: "paused: " in log_of(writing))
    (small_disk / "filler").unlink()
    assert process.wait(60) == 0, log_of(writing)
    assert writing.ran() == ["0", "1", "2"]
    assert "Traceback" not in log_of(writing)


def test_what_cannot_be_written_for_another_reason_is_no_matter_of_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_disk, "_PROBE_SECONDS", 0.01)

    def write() -> None:
        (tmp_path / "absent" / "file").touch()

    with pytest.raises(FileNotFoundError):
        until_written(write, tmp_path, lambda _: None)


def test_a_folder_that_goes_and_comes_back_is_not_begun_anew_elsewhere(writing: App, wait_for: WaitFor) -> None:
    process = until_second_job_runs(writing, wait_for)
    elsewhere = writing.folder / "elsewhere"
    writing.sweep.rename(elsewhere)
    (writing.folder / "gate").unlink()
    wait_for(lambda: "paused: " in log_of(writing))
    assert f"paused: {writing.sweep}: No such file or directory; " in log_of(writing)
    assert not writing.sweep.exists()
    elsewhere.rename(writing.sweep)
    assert process.wait(60) == 0, log_of(writing)
    assert states(writing) == ["completed"] * 6


@pytest.mark.slow
def test_a_file_in_the_folders_place_pauses_the_sweep(writing: App, wait_for: WaitFor) -> None:
    process = until_second_job_runs(writing, wait_for)
    elsewhere = writing.folder / "elsewhere"
    writing.sweep.rename(elsewhere)
    writing.sweep.touch()
    (writing.folder / "gate").unlink()
    wait_for(lambda: f"paused: {writing.sweep}: Not a directory; " in log_of(writing))
    writing.sweep.unlink()
    elsewhere.rename(writing.sweep)
    assert process.wait(60) == 0, log_of(writing)
    assert states(writing) == ["completed"] * 6


@pytest.mark.slow
def test_a_job_that_finds_no_room_while_the_sweep_has_some_fails_the_second_time(writing: App) -> None:
    done = writing.run("+x=0,1", "+full=true", "hydra.launcher.jobs_per_device=1")
    assert done.returncode == 1
    assert sorted(writing.ran()) == ["0", "0", "1"]
    assert re.search(r"paused: #0: OSError: \[Errno 28\] No space left on device", done.stdout)
    assert "1 failed, 1 completed" in done.stdout
    assert writing.status(0)["state"] == "failed"


@pytest.mark.slow
def test_a_job_whose_own_place_is_spoilt_fails_and_the_others_run(writing: App) -> None:
    writing.sweep.mkdir()
    (writing.sweep / "0").touch()
    done = writing.run("+x=2,3", "hydra.launcher.jobs_per_device=1")
    assert done.returncode == 1
    assert f"failed #0: {writing.sweep}/0: " in done.stdout
    assert "1 failed, 1 completed" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert writing.ran() == ["3"]


def test_a_disk_is_blamed_while_it_is_sick_and_else_once_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    said: list[str] = []
    sweep = tmp_path / "sweep"
    disk = Disk(sweep, said.append)
    for _ in range(3):
        assert disk.excuse(1, None) == f"{sweep}: No such file or directory"
    assert len(said) == 1
    sweep.mkdir()
    assert not disk.allows_starts()  # it looks every few seconds only
    now = disk.next_probe
    assert disk.allows_starts()
    assert len(said) == 2
    assert disk.excuse(1, None) is None
    assert disk.allows_starts()
    assert disk.excuse(1, "full") == "full"
    assert not disk.allows_starts()
    assert disk.excuse(1, "full") is None
    assert not list(sweep.iterdir())


def test_jobs_for_which_there_is_a_little_too_little_room_do_not_use_up_the_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    disk = Disk(tmp_path, lambda _: None)
    pauses = []
    for number in range(10):
        disk.excuse(number, "full")
        pauses.append(disk.next_probe - now)
        now = disk.next_probe
        assert disk.allows_starts()
    assert pauses == sorted(pauses)
    assert sum(pauses) > 600
    disk.has_taken()
    disk.excuse(11, "full")
    assert disk.next_probe - now == pauses[0]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (f"OSError: {OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), 'x')}", True),
        (f"OSError: {OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), 'x')}", True),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'x'", False),
        (None, False),
    ],
)
def test_errors_of_a_full_disk_are_known_by_their_words(error: str | None, *, expected: bool) -> None:
    assert is_out_of_room(error) is expected
