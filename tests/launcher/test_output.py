"""A sweep goes on whatever becomes of its output, and ends with the exit status of its jobs."""

import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.launcher.conftest import App
from tests.launcher.terminal import Terminal

pytestmark = pytest.mark.slow

HOOKS = """
import time
from pathlib import Path


def end(sweep):
    print("the sweep has ended")
    (Path(sweep) / "hook").touch()


def wait(sweep):
    (Path(sweep) / "hook").touch()
    time.sleep(60)
"""


@pytest.fixture
def hooked(app: App) -> App:
    (app.folder / "hooks.py").write_text(HOOKS)
    app.environment |= {"TERM": "xterm"}
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "PYTHONUNBUFFERED"):
        app.environment.pop(name, None)
    return app


def call(app: App, *overrides: str) -> list[str]:
    return app.command("hydra.launcher.on_sweep_end=hooks.end", *overrides)


def states(app: App) -> set[str]:
    return {app.status(path.parent.name)["state"] for path in app.sweep.glob("*/status.json")}


def slow_jobs(app: App, seconds: float = 0.3) -> None:
    source = (app.folder / "app.py").read_text()
    (app.folder / "app.py").write_text(source.replace("    here =", f"    time.sleep({seconds})\n    here ="))


@pytest.mark.parametrize(("do", "code"), [("ok", 0), ("raise", 1)])
@pytest.mark.parametrize("streams", ["stdout", "both"])
def test_a_reader_that_has_gone_changes_nothing(hooked: App, do: str, code: int, streams: str) -> None:
    reader, writer = os.pipe()
    process = subprocess.Popen(
        call(hooked, f"+do={do}", "+x=range(4)"),
        cwd=hooked.folder,
        env=hooked.environment,
        stdout=writer,
        stderr=writer if streams == "both" else subprocess.PIPE,
    )
    os.close(writer)
    assert os.read(reader, 1)
    os.close(reader)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert len(hooked.ran()) == 4
    assert (hooked.sweep / "hook").exists()
    assert b"Logging error" not in (errors or b"")
    assert b"BrokenPipe" not in (errors or b"")
    assert code or not errors


def test_a_full_disk_changes_nothing(hooked: App) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            call(hooked, "+x=1,2"),
            cwd=hooked.folder,
            env=hooked.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert (hooked.sweep / "hook").exists()
    assert states(hooked) == {"completed"}


def test_a_terminal_that_goes_away_under_nohup_changes_nothing(hooked: App) -> None:
    slow_jobs(hooked)
    terminal = Terminal(call(hooked, "+x=range(8)"), hooked.folder, hooked.environment, deaf_to_hangup=True)
    terminal.read_until(lambda: hooked.ran())
    terminal.close()
    assert terminal.process.wait(60) == 0
    assert len(hooked.ran()) == 8
    assert states(hooked) == {"completed"}
    assert (hooked.sweep / "hook").exists()


def test_a_terminal_that_goes_away_else_interrupts_the_jobs(hooked: App) -> None:
    terminal = Terminal(call(hooked, "+do=wait", "+x=range(8)"), hooked.folder, hooked.environment)
    terminal.read_until(lambda: list(hooked.sweep.glob("*/waiting")))
    terminal.close()
    assert terminal.process.wait(60) == 130
    assert states(hooked) == {"interrupted"}
    assert list(hooked.sweep.glob("*/checkpoint"))
    assert not (hooked.sweep / "hook").exists()


@pytest.mark.parametrize(
    "environment",
    [
        {"TERM": "dumb"},
        {"TERM": ""},
        {"COLUMNS": "20"},
        {"LINES": "3"},
        {"TTY_INTERACTIVE": "0"},
    ],
    ids=str,
)
def test_where_nothing_can_move_there_are_lines(hooked: App, environment: dict[str, str]) -> None:
    terminal = Terminal(call(hooked, "+x=1,2"), hooked.folder, hooked.environment | environment)
    shown = terminal.read_to_the_end()
    assert terminal.process.returncode == 0
    assert "#0 started on cpu: +x=1" in shown
    assert "#1 completed in" in shown
    assert "\x1b" not in shown


def test_forced_colours_do_not_make_a_terminal_of_a_file(hooked: App) -> None:
    done = hooked.run("+x=1,2", FORCE_COLOR="1")
    assert "\x1b" not in done.stdout
    assert "#0 started on cpu" in done.stdout


@pytest.mark.parametrize("size", [(0, 0), (24, 40), (6, 200), None], ids=str)
def test_on_screens_of_any_other_size_there_is_a_view(hooked: App, size: tuple[int, int] | None) -> None:
    slow_jobs(hooked)
    environment = hooked.environment | ({"COLUMNS": "0"} if size is None else {})
    terminal = Terminal(call(hooked, "+x=1,2"), hooked.folder, environment, size=size or (24, 80))
    shown = terminal.read_to_the_end()
    assert terminal.process.returncode == 0
    assert "2 running" in shown
    assert "started" not in shown
    assert "#1 completed" in shown
    assert "the sweep has ended" in shown


def test_without_colours_there_are_none(hooked: App) -> None:
    slow_jobs(hooked)
    terminal = Terminal(call(hooked, "+x=1,2"), hooked.folder, hooked.environment | {"NO_COLOR": "1"})
    shown = terminal.read_to_the_end()
    assert "2 running" in shown
    assert not re.search(r"\x1b\[[\d;]*3\dm|\x1b\[[\d;]*9\dm", shown)


@pytest.mark.parametrize("encoding", ["ascii", "ascii:surrogateescape", "latin-1:strict"])
@pytest.mark.parametrize("on_terminal", [True, False])
def test_a_character_that_the_encoding_lacks_is_a_question_mark(hooked: App, encoding: str, on_terminal: bool) -> None:
    slow_jobs(hooked)
    environment = hooked.environment | {"PYTHONIOENCODING": encoding}
    command = call(hooked, "+x='ü→',2")
    if on_terminal:
        terminal = Terminal(command, hooked.folder, environment)
        shown, code = terminal.read_to_the_end(), terminal.process.returncode
    else:
        done = subprocess.run(command, cwd=hooked.folder, env=environment, capture_output=True, check=False)
        shown, code = done.stdout.decode("latin-1"), done.returncode
        assert not done.stderr
    assert code == 0
    assert "?'" in shown
    assert sorted(hooked.ran()) == ["ok 2", "ok ü→"]


@pytest.mark.parametrize("on_terminal", [True, False])
def test_what_others_have_named_cannot_break_a_line_or_act_on_a_terminal(hooked: App, on_terminal: bool) -> None:
    slow_jobs(hooked)
    texts = ["[bold]x[/nothing]", "\x1b[2J\x07", "first\nsecond", "\u202egnp", "y" * 10_000]
    values = ",".join(f"'{text}'" for text in texts)
    command = call(hooked, f"+x={values}", "+do=raise", "hydra.launcher.jobs_per_device=5")
    if on_terminal:
        terminal = Terminal(command, hooked.folder, hooked.environment, size=(24, 100))
        shown, code = terminal.read_to_the_end(), terminal.process.returncode
    else:
        done = subprocess.run(command, cwd=hooked.folder, env=hooked.environment, capture_output=True, check=False)
        shown, code = done.stdout.decode(), done.returncode
    assert code == 1
    assert len(hooked.ran()) == 6  # one of them has two lines
    assert "[bold]x[/nothing]" in shown
    assert "\\x1b[2J\\x07" in shown
    assert "\x1b[2J" not in shown
    assert "\x07" not in shown
    assert "first\\nsecond" in shown
    assert "\u202e" not in shown
    assert len(shown) < 20_000
    assert on_terminal or max(map(len, shown.splitlines())) < 700


def test_ctrl_c_in_the_hook_at_the_end_is_one_line(hooked: App, wait_for: Callable[..., None]) -> None:
    process = hooked.start("+x=1,2", "hydra.launcher.on_sweep_end=hooks.wait")
    wait_for((hooked.sweep / "hook").exists)
    process.send_signal(signal.SIGINT)
    shown, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.search("interrupted.*on_sweep_end=hooks.wait.*have", shown.splitlines()[-1])
    assert "Traceback" not in shown
    assert states(hooked) == {"completed"}


MANY = """
import time
from types import SimpleNamespace
from hydra_plugins.workstation_launcher._display import Display

jobs = [SimpleNamespace(number=n, twin=None, skipped=False, label=f"x={n}", status=None) for n in range(1000)]
forecast = SimpleNamespace(seconds=lambda job: 1.0, until_done=lambda queued, still: 1.0)
slot = SimpleNamespace(name="cpu")
with Display(jobs, forecast) as view:
    for _ in range(3):
        view.refresh(lambda: [(job, slot, 1.0) for job in jobs], list)
        time.sleep(0.25)
"""


def test_the_view_of_a_thousand_running_jobs_fits_on_the_screen(hooked: App, tmp_path: Path) -> None:
    (tmp_path / "many.py").write_text(MANY)
    command = [hooked.command()[0], "many.py"]
    shown = Terminal(command, tmp_path, hooked.environment, size=(24, 80)).read_to_the_end()
    first, *others = shown.split("1000 running")[1:]
    assert others
    assert first.count("\n") < 24
    assert "#20 " in first
    assert "and 979 more are running" in first
