"""A sweep that cannot start leaves the folder as it was, in any application."""

import subprocess
import sys

import pytest

from hydra_plugins.workstation_launcher._options import suggest_key
from tests.launcher.conftest import App

CHECKS = """
def refuse(config):
    if config.x == 2:
        raise ValueError(f"x={config.x}: not on this machine")
"""


def run(app: App, *overrides: str) -> "subprocess.CompletedProcess[str]":
    """The app with a sweep's directory two folders deep."""
    return subprocess.run(
        [sys.executable, "app.py", "-m", "hydra/launcher=workstation", "hydra.sweep.dir=new/deep", *overrides],
        cwd=app.folder, env=app.environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["+x=range(0)"], "the sweep is empty"),
        (["+x=1,2", "nothing=3"], "nothing"),
        (["+x=1,2", "hydra.sweep.subdir=${nowhere}"], "nowhere"),
        (["+x=1,2", "hydra.launcher.devices=[77]"], "hydra.launcher.devices=77: 77 is not visible here"),
        (["+x=1,2", "hydra.launcher.check_job=checks.refuse"], "x=2: not on this machine"),
    ],
)
def test_nothing_is_left(app: App, overrides: list[str], words: str) -> None:
    (app.folder / "checks.py").write_text(CHECKS)
    app.environment["PYTHONPATH"] += f":{app.folder}"
    done = run(app, *overrides)
    assert done.returncode == 1
    assert words in done.stderr
    assert not (app.folder / "new").exists()
    assert app.ran() == []


def test_a_dry_run_leaves_no_folder_above_the_sweep_either(app: App) -> None:
    assert run(app, "+x=1,2", "hydra.launcher.dry_run=true").returncode == 0
    assert not (app.folder / "new").exists()


def test_jobs_that_are_done_are_not_checked(app: App) -> None:
    (app.folder / "checks.py").write_text(CHECKS)
    app.environment["PYTHONPATH"] += f":{app.folder}"
    assert run(app, "+x=1,2").returncode == 0
    done = run(app, "+x=1,2,3", "hydra.launcher.check_job=checks.refuse")
    assert done.returncode == 0, done.stderr
    assert sorted(app.ran()) == ["ok 1", "ok 2", "ok 3"]


def test_a_later_batch_that_is_refused_takes_nothing_from_an_earlier_one(app: App) -> None:
    (app.folder / "checks.py").write_text(CHECKS)
    app.environment["PYTHONPATH"] += f":{app.folder}"
    done = run(app, "+x=1,2", "hydra.launcher.check_job=checks.refuse", "hydra.sweeper.max_batch_size=1")
    assert done.returncode == 1
    assert app.ran() == ["ok 1"]
    assert (app.folder / "new" / "deep" / "multirun.yaml").exists()
    assert (app.folder / "new" / "deep" / "0" / "status.json").exists()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("n_jobs", "jobs_per_device"),
        ("njobs", "jobs_per_device"),
        ("max_worker", "jobs_per_device"),
        ("gpu", "devices"),
        ("timeout", "timeout_minutes"),
        ("dryrun", "dry_run"),
        ("retry", "retries"),
        ("zzz", None),
    ],
)
def test_an_option_is_known_by_what_other_launchers_call_it(name: str, meant: str | None) -> None:
    assert suggest_key(name) == meant


@pytest.mark.parametrize(
    ("overrides", "warning"),
    [
        ([], ""),
        (["jobs_per_device=1000"], "1,000 threads on "),
        (["jobs_per_device=1", "threads_per_job=500"], "500 thr"),
    ],
)
def test_a_plan_warns_of_more_threads_than_cores(app: App, overrides: list[str], warning: str) -> None:
    options = [f"hydra.launcher.{override}" for override in ("devices=cpu", "dry_run=true", *overrides)]
    done = run(app, "+x=1,2", *options)
    assert done.returncode == 0
    assert ("(warning: " in done.stdout) == bool(warning)
    assert warning in done.stdout
