"""A clock that is set back, or forth, while a sweep runs, decides nothing."""

import json

import pytest

from tests.launcher.conftest import App

pytestmark = pytest.mark.slow

# Loaded by each interpreter of the command: its clock is off by what a file says at that moment.
CLOCK = """
import datetime as _datetime, os, time as _time

def _offset():
    try:
        return float(open(os.environ["CLOCK"]).read())
    except (OSError, ValueError):
        return 0.0

_real, _real_ns = _time.time, _time.time_ns
_time.time = lambda: _real() + _offset()
_time.time_ns = lambda: _real_ns() + int(_offset() * 1e9)

class datetime(_datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + _datetime.timedelta(seconds=_offset())

_datetime.datetime = datetime
"""


@pytest.fixture
def app(app: App) -> App:
    """The application, in whose jobs the clock jumps by their ``clock``, in seconds."""
    source = (app.folder / "app.py").read_text()
    jump = '    if "clock" in config:\n        open(os.environ["CLOCK"], "w").write(str(config.clock))\n'
    (app.folder / "app.py").write_text(source.replace('    if do == "raise":', f'{jump}    if do == "raise":'))
    (app.folder / "sitecustomize.py").write_text(CLOCK)
    app.environment |= {"CLOCK": str(app.folder / "clock")}
    app.environment["PYTHONPATH"] += f":{app.folder}"
    return app


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_completed_jobs_stay_completed(app: App, method: str) -> None:
    jumps = "+clock=0,-2,-86400,86400"
    done = app.run(jumps, "hydra.launcher.jobs_per_device=1", f"hydra.launcher.start_method={method}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 completed" in done.stdout
    statuses = [app.status(job) for job in range(4)]
    assert [status["state"] for status in statuses] == ["completed"] * 4
    assert all(0 <= status["seconds"] < 60 for status in statuses)
    assert statuses[1]["ended"] > statuses[2]["ended"]  # the clock did go back
    again = app.run(jumps, "hydra.launcher.jobs_per_device=1")
    assert "4 already done" in again.stdout
    assert len(app.ran()) == 4


def test_deaths_and_timeouts_are_told_all_the_same(app: App) -> None:
    done = app.run(
        "+clock=-86400",
        "+do=kill,hang,_exit",
        "hydra.launcher.timeout_minutes=0.02",
        "hydra.launcher.jobs_per_device=1",
    )
    assert done.returncode == 1
    assert [app.status(job)["state"] for job in range(3)] == ["failed"] * 3
    assert "SIGKILL" in app.status(0)["error"]
    assert "timeout_minutes" in app.status(1)["error"]
    assert all(0 <= app.status(job)["seconds"] < 60 for job in range(3))


def test_an_interrupted_job_goes_on_a_day_earlier(app: App) -> None:
    app.run("+do=kill")
    (app.folder / "clock").write_text("-86400")
    again = app.run("+do=kill")
    assert again.returncode == 1
    assert app.status(0)["attempts"] == 2


def test_what_was_completed_tomorrow_is_taken_over_today(app: App) -> None:
    app.environment |= {"GIT_CEILING_DIRECTORIES": str(app.folder.parent)}
    app.sweep = app.folder / "sweeps" / "first"
    (app.folder / "clock").write_text("86400")
    assert app.run("+x=1").returncode == 0
    (app.folder / "clock").write_text("0")
    for name in ("second", "third"):
        app.sweep = app.sweep.with_name(name)
        assert "1 taken from" in app.run("+x=1", "hydra.launcher.reuse=true").stdout
    assert json.loads((app.sweep / "0" / "status.json").read_text())["state"] == "completed"
    assert len(app.ran()) == 1
