"""Whatever a job does to its process ends that job alone."""

import pytest

from tests.launcher.conftest import App

FAILURES = {
    "raise": "ValueError: boom",
    "exit": "SystemExit: 3",
    "_exit": "its process ended with exit status 7 before the job was done",
    "kill": "killed by SIGKILL (the system does that when memory runs out)",
    "segfault": "killed by SIGSEGV",
    "memory": "MemoryError",
    "hang": "stopped after timeout_minutes=0.05",
}


@pytest.mark.parametrize("start_method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_every_way_to_fail_is_contained_listed_and_explained(app: App, start_method: str) -> None:
    done = app.run(
        f"+do={','.join(FAILURES)},ok",
        "+x=5",
        "hydra.launcher.timeout_minutes=0.05",
        f"hydra.launcher.start_method={start_method}",
    )
    assert done.returncode == 1
    for number, (kind, cause) in enumerate(FAILURES.items()):
        status = app.status(number)
        assert status["state"] == "failed", kind
        assert status["error"].startswith(cause)
        assert str(app.sweep / str(number) / "output.log") in done.stdout
        assert cause in done.stdout
    assert app.status(len(FAILURES))["state"] == "completed"
    assert app.status(len(FAILURES))["return_value"] == 5
    assert "7 failed, 1 completed" in done.stdout
    log = (app.sweep / "0" / "output.log").read_text()
    assert 'app.py", line' in log
    assert "ValueError: boom" in log
    assert "Segmentation fault" in (app.sweep / "4" / "output.log").read_text()
    assert "most recent call first" in (app.sweep / "6" / "output.log").read_text()
    assert not app.processes()


def test_sys_exit_without_an_error_is_a_completed_job(app: App) -> None:
    assert app.run("+do=exit0,ok").returncode == 0
    assert app.status(0)["state"] == "completed"


def test_retries_are_for_deaths(app: App) -> None:
    done = app.run("+do=die_once,raise", "hydra.launcher.retries=2")
    assert done.returncode == 1
    assert (app.status(0)["state"], app.status(0)["attempts"]) == ("completed", 2)
    assert (app.status(1)["state"], app.status(1)["attempts"]) == ("failed", 1)
    assert "retry 1 of 2" in done.stdout


def test_retries_of_exceptions_are_asked_for(app: App) -> None:
    app.run("+do=raise", "hydra.launcher.retries=2", "hydra.launcher.retry_exceptions=true")
    assert app.status(0)["attempts"] == 3


def test_fail_fast_starts_nothing_after_the_first_failure(app: App) -> None:
    done = app.run(
        "+do=ok,raise,wait,exit0", "+x=1", "hydra.launcher.fail_fast=true", "hydra.launcher.jobs_per_device=1"
    )
    assert done.returncode == 1
    assert app.ran() == ["ok 1", "raise 1"]
    assert "1 completed, 1 failed, 2 not started" in done.stdout


def test_fail_fast_interrupts_what_runs(app: App) -> None:
    app.run("+do=wait,raise", "hydra.launcher.fail_fast=true", "hydra.launcher.jobs_per_device=2")
    assert app.status(0)["state"] == "interrupted"
    assert not app.processes()


def test_the_death_of_the_process_that_starts_the_jobs_costs_only_the_running_ones(app: App) -> None:
    source = (app.folder / "app.py").read_text()
    killing = '"raise":\n        os.kill(os.getppid(), signal.SIGKILL)'
    (app.folder / "app.py").write_text(source.replace('"raise":', killing))
    done = app.run("+do=raise,ok", "hydra.launcher.jobs_per_device=1")
    assert app.status(0)["state"] == "failed"
    assert app.status(1)["state"] == "completed"
    assert "starting it anew" in done.stdout
    assert not app.processes()


def test_jobs_without_a_seed_draw_different_numbers(app: App) -> None:
    app.run("+do=random", "+x=1,2,3")
    assert len({app.status(number)["return_value"] for number in range(3)}) == 3
