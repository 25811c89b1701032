"""What is below a job, and what is around it: its descendants, the process that starts it, the lock of its sweep."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.launcher.conftest import processes_that_know
from tests.launcher.programs import Programs

pytestmark = pytest.mark.slow


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return Programs(tmp_path)


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_what_a_job_leaves_behind_ends_with_it_and_not_with_the_sweep(programs: Programs, start_method: str) -> None:
    done = programs.run("below", start_method, "+do=daemon,look", "hydra.launcher.jobs_per_device=1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert programs.status(start_method, 1)["return_value"] is False
    assert not processes_that_know(programs.folder)


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_daemons_of_jobs_do_not_outlive_the_process_that_starts_the_jobs(programs: Programs, start_method: str) -> None:
    done = programs.run("below", start_method, "+do=kill_server,look", "hydra.launcher.jobs_per_device=1")
    assert "starting it anew" in done.stdout
    assert programs.status(start_method, 1)["return_value"] is False
    assert not processes_that_know(programs.folder)


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_the_lock_is_held_by_what_ends_the_jobs_and_by_none_of_them(programs: Programs, start_method: str) -> None:
    programs.run("below", start_method, "+do=locks", f"+launcher={start_method}")
    assert programs.status(start_method)["return_value"] == [False, True]


def test_the_batches_of_a_sweep_have_one_process_that_starts_their_jobs(programs: Programs) -> None:
    done = programs.run(
        "below", "fork", "+do=nothing", "+x=1,2,3", "hydra/sweeper=basic", "hydra.sweeper.max_batch_size=1"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    parents = (programs.folder / "parents").read_text().split()
    assert (len(parents), len(set(parents))) == (3, 1)
    assert len((programs.folder / "imports").read_text().split()) == 1
    assert not processes_that_know(programs.folder)


def test_an_error_while_a_job_cleans_up_after_ctrl_c_is_what_its_record_says(
    programs: Programs, wait_for: Callable[..., None]
) -> None:
    output = programs.interrupt(
        "below", "fork", "+do=fail_in_clean_up", when=lambda: wait_for((programs.folder / "waiting").exists)
    )
    status = programs.status("fork")
    assert status["state"] == "interrupted"
    assert status["error"] == "interrupted; then OSError: the checkpoint could not be written"
    assert "the checkpoint could not be written" in (programs.folder / "fork" / "0" / "output.log").read_text()
    assert "Traceback" not in output


def test_a_job_that_exits_when_it_is_interrupted_is_not_completed(
    programs: Programs, wait_for: Callable[..., None]
) -> None:
    programs.interrupt(
        "below", "fork", "+do=exit_in_clean_up", when=lambda: wait_for((programs.folder / "waiting").exists)
    )
    assert programs.status("fork")["state"] == "interrupted"


def test_a_refused_fork_costs_that_start_alone_and_is_told_as_what_it_is(programs: Programs) -> None:
    (programs.folder / "refuse.py").write_text(
        "import errno, os\n"
        "real, calls = os.fork, []\n"
        "def fork():\n"
        "    calls.append(1)\n"
        "    if len(calls) == 3:\n"  # the first looks for threads, the second is a job
        "        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))\n"
        "    return real()\n"
        "os.fork = fork\n"
    )
    done = programs.run(
        "below", "fork", "+do=nothing", "+x=1,2,3", "hydra.launcher.preload=[refuse]",
        PYTHONPATH=f"{programs.environment()['PYTHONPATH']}:{programs.folder}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        "no process could be started for it: Resource temporarily unavailable (the limit of processes)" in done.stdout
    )
    assert [programs.status("fork", number)["state"] for number in range(3)] == ["completed"] * 3


def test_a_command_that_follows_a_killed_one_waits_for_its_jobs_to_end(
    programs: Programs, wait_for: Callable[..., None]
) -> None:
    process = programs.start("below", "fork", "+do=wait")
    wait_for((programs.folder / "waiting").exists)
    (server,) = set((programs.folder / "parents").read_text().split())
    os.kill(int(server), signal.SIGSTOP)  # what holds the lock is slow to end
    process.kill()
    process.wait()
    again = programs.start("below", "fork", "+do=wait")
    wait_for(lambda: processes_that_know(programs.folder))
    os.kill(int(server), signal.SIGCONT)
    wait_for(lambda: len((programs.folder / "parents").read_text().split()) == 2)
    again.send_signal(signal.SIGINT)
    assert again.wait(30) == 130
    assert programs.status("fork")["attempts"] == 2
