"""What is shown of a run, and that the run goes on whatever becomes of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SMALL, SMALL_SWEEP
from tests.launcher.terminal import Terminal

TRAIN = [sys.executable, "-m", "rnn_mnist.train"]
RUN = [*TRAIN, *SMALL, "training.epochs=2"]
SWEEP = [*TRAIN, "-m", *SMALL_SWEEP, "training.epochs=1", "seed=0,1"]


def environment_of(**more: str) -> dict[str, str]:
    unset = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "PYTHONUNBUFFERED")
    return {key: value for key, value in os.environ.items() if key not in unset} | {"TERM": "xterm"} | more


def states(folder: Path) -> list[str]:
    return [json.loads(path.read_text())["state"] for path in folder.glob("outputs/*/*/status.json")]


@pytest.mark.slow
@pytest.mark.parametrize(("command", "runs"), [(RUN, 1), (SWEEP, 2)], ids=["run", "sweep"])
def test_a_reader_that_has_gone_changes_nothing(tmp_path: Path, command: list[str], runs: int) -> None:
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment_of(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read()
    assert (process.wait(60), errors) == (0, b"")
    assert states(tmp_path) == ["completed"] * runs


@pytest.mark.slow
@pytest.mark.parametrize(("command", "runs"), [(RUN, 1), (SWEEP, 2)], ids=["run", "sweep"])
def test_a_terminal_that_goes_away_under_nohup_changes_nothing(tmp_path: Path, command: list[str], runs: int) -> None:
    terminal = Terminal(command, tmp_path, environment_of(), deaf_to_hangup=True)
    terminal.read_until(lambda: b"parameters" in terminal.shown or b"running" in terminal.shown)
    terminal.close()
    assert terminal.process.wait(60) == 0
    assert states(tmp_path) == ["completed"] * runs


@pytest.mark.parametrize(
    "size",
    [(24, 80), *(pytest.param(size, marks=pytest.mark.slow) for size in [(0, 0), (24, 40), (6, 200), None])],
    ids=str,
)
def test_a_terminal_shows_how_far_a_run_is(tmp_path: Path, size: tuple[int, int] | None) -> None:
    more = {"COLUMNS": "0"} if size is None else {}
    terminal = Terminal(RUN, tmp_path, environment_of(PYTHONIOENCODING="ascii", **more), size=size or (24, 80))
    shown = terminal.read_to_the_end()
    assert terminal.process.returncode == 0, shown
    assert "\x1b" in shown
    assert "epoch 2/2: train loss" in shown
    assert states(tmp_path) == ["completed"]


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"COLUMNS": "20"}], ids=str)
def test_where_nothing_can_move_there_are_lines(tmp_path: Path, environment: dict[str, str]) -> None:
    terminal = Terminal(RUN, tmp_path, environment_of(**environment))
    shown = terminal.read_to_the_end()
    assert terminal.process.returncode == 0, shown
    assert "\x1b" not in shown
    assert [line for line in shown.splitlines() if line.startswith("epoch 2/2: train loss")]
