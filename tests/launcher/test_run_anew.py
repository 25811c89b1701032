"""``resume=false``, interrupted and given again, goes on: each job is run anew once."""

import json
import signal
from collections import Counter
from collections.abc import Callable

import pytest

from tests.launcher.conftest import App

pytestmark = pytest.mark.slow

ANEW = ("hydra.launcher.resume=false", "hydra.launcher.jobs_per_device=1")


@pytest.fixture
def app(app: App) -> App:
    """The application, one of whose jobs waits while a file is there."""
    source = (app.folder / "app.py").read_text()
    hold = '    while config.get("x") == 2 and os.path.exists("hold"):\n        (here / "waiting").touch()\n'
    (app.folder / "app.py").write_text(source.replace('    if do == "raise":', f'{hold}    if do == "raise":'))
    return app


def interrupt(
    app: App,
    wait_for: Callable[..., None],
    *overrides: str,
    number: int = signal.SIGINT,
    ended: tuple[int, ...] = (),
) -> str:
    """Stop the command in the job that waits, when others have ended their second attempt; what it prints."""
    (app.folder / "hold").touch()
    for waiting in app.sweep.glob("*/waiting"):
        waiting.unlink()
    process = app.start(*overrides)
    wait_for(lambda: list(app.sweep.glob("*/waiting")))
    for job in ended:
        wait_for(lambda job=job: (app.status(job)["attempts"], app.status(job)["state"]) == (2, "completed"))
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    (app.folder / "hold").unlink()
    return output


def ran(app: App) -> "Counter[str]":
    return Counter(app.ran())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_what_was_run_anew_is_kept(app: App, wait_for: Callable[..., None], number: int) -> None:
    assert app.run("+x=1,2,3").returncode == 0
    beside = (ANEW[0], "hydra.launcher.jobs_per_device=2")
    output = interrupt(app, wait_for, "+x=1,2,3", *beside, number=number, ended=(0, 2))
    if number == signal.SIGINT:
        assert "to carry on: " in output
        assert "resume=false" in output.rpartition("to carry on: ")[2]
    assert ran(app) == {"ok 1": 2, "ok 2": 2, "ok 3": 2}
    done = app.run("+x=1,2,3", *ANEW)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 3 jobs were run anew before" in done.stdout
    assert ran(app) == {"ok 1": 2, "ok 2": 3, "ok 3": 2}


def test_once_it_has_ended_it_begins_again(app: App) -> None:
    for times in (1, 2, 3):
        assert app.run("+x=1,2", *ANEW).returncode == 0
        assert ran(app) == {"ok 1": times, "ok 2": times}


def test_in_batches(app: App, wait_for: Callable[..., None]) -> None:
    one_by_one = "hydra.sweeper.max_batch_size=1"
    assert app.run("+x=1,2,3").returncode == 0
    interrupt(app, wait_for, "+x=1,2,3", one_by_one, *ANEW)
    assert app.run("+x=1,2,3", one_by_one, *ANEW).returncode == 0
    assert ran(app) == {"ok 1": 2, "ok 2": 3, "ok 3": 2}


def test_other_code_runs_all_of_them(app: App, wait_for: Callable[..., None]) -> None:
    interrupt(app, wait_for, "+x=1,2", *ANEW)
    with (app.folder / "app.py").open("a") as file:
        file.write("# changed\n")
    assert app.run("+x=1,2", *ANEW).returncode == 0
    assert ran(app) == {"ok 1": 2, "ok 2": 2}


def test_a_plain_command_in_between_ends_it(app: App, wait_for: Callable[..., None]) -> None:
    interrupt(app, wait_for, "+x=1,2", *ANEW)
    assert app.run("+x=1,2").returncode == 0
    assert ran(app) == {"ok 1": 1, "ok 2": 2}
    assert "anew" not in json.loads((app.sweep / "sweep.json").read_text())
    assert app.run("+x=1,2", *ANEW).returncode == 0
    assert ran(app) == {"ok 1": 2, "ok 2": 3}


def test_a_job_that_it_was_not_given_before_is_run_anew(app: App, wait_for: Callable[..., None]) -> None:
    assert app.run("+x=3").returncode == 0
    interrupt(app, wait_for, "+x=1,2", *ANEW)
    assert app.run("+x=1,2,3", *ANEW).returncode == 0
    assert ran(app) == {"ok 1": 1, "ok 2": 2, "ok 3": 2}
