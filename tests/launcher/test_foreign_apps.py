"""The launcher in an application that is not this project: three lines, and every way to start it."""

import os
import pty
import subprocess
import sys

import pytest

from hydra_plugins.workstation_launcher._options import options_table
from tests.launcher.conftest import ROOT, App

WAYS = {
    "script": [sys.executable, "app.py"],
    "module": [sys.executable, "-m", "package.app"],
    "console script": [sys.executable, "-c", "from package.app import app; app()"],
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_start_an_app(app: App, way: str) -> None:
    (app.folder / "package").mkdir()
    (app.folder / "package" / "__init__.py").touch()
    (app.folder / "package" / "app.py").write_text((app.folder / "app.py").read_text())
    done = subprocess.run(
        [*WAYS[way], "-m", "hydra/launcher=workstation", f"hydra.sweep.dir={app.sweep}", "+x=1,2", "+do=ok,raise"],
        cwd=app.folder, env=app.environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert sorted(app.ran()) == ["ok 1", "ok 2", "raise 1", "raise 2"]
    assert 'app.py", line' in (app.sweep / "1" / "output.log").read_text()


def test_the_three_lines_of_the_documentation(app: App) -> None:
    conf = app.folder / "conf"
    conf.mkdir()
    (conf / "config.yaml").write_text(three_lines())
    source = (app.folder / "app.py").read_text()
    (app.folder / "app.py").write_text(source.replace("config_path=None", 'config_path="conf", config_name="config"'))
    done = subprocess.run(
        [sys.executable, "app.py", "-m", "+x=1,2", f"hydra.sweep.dir={app.sweep}"],
        cwd=app.folder, env=app.environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sorted(app.ran()) == ["ok 1", "ok 2"]
    assert sorted(path.parent.name.partition("__")[0] for path in app.sweep.glob("*/status.json")) == ["+x=1", "+x=2"]


def three_lines() -> str:
    page = (ROOT / "docs" / "launcher.md").read_text()
    return page.split("```yaml\n")[1].split("```")[0]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("jobs_per_device=0", "jobs_per_device=0: must be auto or a whole number, at least 1"),
        ("retries=-1", "retries=-1: must be a whole number, at least 0"),
        ("timeout_minutes=0", "timeout_minutes=0: must be null or a number above 0"),
        ("fail_fast=perhaps", "fail_fast=perhaps: must be true or false"),
        ("start_method=thread", "start_method=thread: must be auto or fork or spawn"),
        ("devices=[a]", "devices=['a']: must be auto, cpu, or a list of different GPUs"),
        ("identity=3", "identity=3: must be the dotted path of a function"),
        ("on_sweep_end=no.such.function", "on_sweep_end=no.such.function: must be the dotted path of a function"),
        ("preload=[1]", "preload=[1]: must be a list of modules"),
        ("no_such=1", "no_such"),
    ],
)
def test_a_wrong_option_is_one_line_and_starts_nothing(app: App, override: str, message: str) -> None:
    done = app.run(f"hydra.launcher.{override}")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "Error in call" not in done.stderr, "Hydra wraps what a plugin raises as it is made"
    assert not app.sweep.exists()
    assert not app.ran()


def test_an_option_under_the_name_that_another_launcher_has_for_it(app: App) -> None:
    done = app.run("+hydra.launcher.n_jobs=2")
    assert done.returncode == 1
    assert "hydra.launcher.n_jobs=2: no such option (did you mean jobs_per_device?)" in done.stderr
    assert not app.sweep.exists()


def test_the_documentation_has_the_table_of_the_options() -> None:
    assert f"\n{options_table()}\n\n" in (ROOT / "docs" / "launcher.md").read_text()


def test_hooks_are_called_in_the_launching_process_and_cannot_harm_the_sweep(app: App) -> None:
    (app.folder / "hooks.py").write_text(
        "def job(sweep, directory):\n    print('job ended in', directory.name)\n\n"
        "def end(sweep):\n    print('sweep ended in', sweep.name)\n    raise OSError('full')\n"
    )
    done = app.run("+x=1,2", "hydra.launcher.on_job_end=hooks.job", "hydra.launcher.on_sweep_end=hooks.end")
    assert done.returncode == 0
    assert sorted(line for line in done.stdout.splitlines() if line.startswith("job ended")) == [
        "job ended in 0", "job ended in 1",
    ]  # fmt: skip
    assert "sweep ended in sweep" in done.stdout
    assert "warning: hydra.launcher.on_sweep_end=hooks.end: OSError: full" in done.stdout


def test_a_terminal_shows_what_running_jobs_report(app: App) -> None:
    source = (app.folder / "app.py").read_text()
    reporting = (
        "    from hydra_plugins.workstation_launcher import report\n"
        "    report('epoch 2/5', done=0.4)\n"
        "    time.sleep(1)\n"
    )
    (app.folder / "app.py").write_text(source.replace("    here =", f"{reporting}    here ="))
    ours, theirs = pty.openpty()
    environment = app.environment | {"TERM": "xterm", "COLUMNS": "120"}
    process = subprocess.Popen(
        app.command("+x=1,2"), cwd=app.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            seen += os.read(ours, 4096)
        except OSError:
            break
    assert process.wait() == 0
    shown = seen.decode()
    assert "epoch 2/5" in shown
    assert "running" in shown
    assert "left" in shown


def test_an_application_that_cannot_be_loaded_elsewhere_is_one_line(app: App) -> None:
    done = app.run("+x=1", "hydra.launcher.preload=[no_such_module]")
    assert done.returncode == 1
    assert "the application cannot be loaded in another process: ModuleNotFoundError" in done.stderr
    assert not app.ran()
