"""Ctrl-C once and twice, the death of the parent, and two commands at once."""

import signal
from collections.abc import Callable

from tests.launcher.conftest import App

WaitFor = Callable[..., None]


def test_ctrl_c_lets_jobs_write_their_checkpoint(app: App, wait_for: WaitFor) -> None:
    process = app.start("+do=wait,ok", "+x=1", "hydra.launcher.jobs_per_device=1")
    wait_for(lambda: (app.sweep / "0" / "waiting").exists())
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (app.sweep / "0" / "checkpoint").exists()
    assert app.status(0)["state"] == "interrupted"
    assert "1 interrupted, 1 not started" in output
    assert "to carry on: " in output
    assert " app.py -m " in output.split("to carry on: ")[1]
    assert "Traceback" not in output
    assert app.ran() == ["wait 1"]
    assert not app.processes()


def test_ctrl_c_twice_stops_at_once(app: App, wait_for: WaitFor) -> None:
    process = app.start("+do=stubborn", "+x=1,2", "hydra.launcher.jobs_per_device=2")
    wait_for(lambda: all((app.sweep / str(job) / "waiting").exists() for job in range(2)))
    process.send_signal(signal.SIGINT)
    wait_for(lambda: all((app.sweep / str(job) / "checkpoint").exists() for job in range(2)))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert app.status(0)["state"] == "interrupted"
    assert not app.processes()


def test_a_job_that_ignores_ctrl_c_has_until_the_grace_ends(app: App, wait_for: WaitFor) -> None:
    process = app.start("+do=stubborn", "hydra.launcher.grace_seconds=0.5")
    wait_for(lambda: (app.sweep / "0" / "waiting").exists())
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert app.status(0)["state"] == "interrupted"
    assert not app.processes()


def test_no_process_outlives_a_killed_sweep(app: App, wait_for: WaitFor) -> None:
    process = app.start("+do=wait,hang", "hydra.launcher.jobs_per_device=2")
    wait_for(lambda: (app.sweep / "0" / "waiting").exists() and len(app.ran()) == 2)
    process.kill()
    process.communicate()
    wait_for(lambda: not app.processes(), 10)
    assert app.status(0)["state"] == "running"
    (app.folder / "app.py").write_text((app.folder / "app.py").read_text().replace("time.sleep(300)", "pass"))
    done = app.run("+do=wait,hang", "hydra.launcher.timeout_minutes=0.02")
    assert "2 to be taken up again" in done.stdout
    assert (app.status(0)["state"], app.status(0)["attempts"]) == ("completed", 2)
    assert app.status(1)["attempts"] == 2


def test_a_second_command_on_the_same_sweep_is_told(app: App, wait_for: WaitFor) -> None:
    process = app.start("+do=wait")
    wait_for(lambda: (app.sweep / "0" / "waiting").exists())
    second = app.run("+do=wait,ok")
    assert second.returncode == 1
    assert f"{app.sweep}: another command is at work on this sweep (process {process.pid} on " in second.stderr
    assert "Traceback" not in second.stderr
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert app.ran() == ["wait None"]
    wait_for(lambda: not app.processes())
