"""Attempts that end at every moment between an epoch's checkpoint and its place in a tracker."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.training.trackers.reading import READERS, Found

pytestmark = pytest.mark.slow
RUN = "0123456789ab"
EACH = pytest.mark.parametrize("tracker", READERS)


def begin(tracker: str, sweep: Path, ending: str, done: int, *epochs: int, run: str = RUN) -> subprocess.Popen[str]:
    pytest.importorskip(tracker, reason=f"needs the extra {tracker}")
    return subprocess.Popen(
        [sys.executable, "-m", "tests.training.trackers.attempt", tracker, str(sweep), run, ending, str(done)]
        + [str(epoch) for epoch in epochs],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def attempt(tracker: str, sweep: Path, ending: str, done: int, *epochs: int) -> None:
    process = begin(tracker, sweep, ending, done, *epochs)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == (-signal.SIGKILL if ending == "killed" else 0), output
    assert "warning" not in output


def found(tracker: str, sweep: Path) -> Found:
    runs = READERS[tracker](sweep)
    assert list(runs) == [RUN]
    return runs[RUN]


def epochs(tracker: str, sweep: Path) -> list[int]:
    for number, value in found(tracker, sweep).epochs:
        assert value == pytest.approx(number / 100)
    return [number for number, _ in found(tracker, sweep).epochs]


@EACH
def test_an_epoch_that_was_kept_and_not_sent_is_sent_by_the_next_attempt(tracker: str, tmp_path: Path) -> None:
    attempt(tracker, tmp_path, "killed", 0, 1, 2)
    if tracker != "wandb":  # which writes its file when it likes
        assert epochs(tracker, tmp_path) == [1, 2]
    attempt(tracker, tmp_path, "completed", 3, 4)
    assert epochs(tracker, tmp_path) == [1, 2, 3, 4]
    there = found(tracker, tmp_path)
    assert there.final == {"final/test_accuracy": 0.5}
    assert there.state == "completed"
    assert there.tags["run_id"] == RUN
    assert there.parameters["model.x"] in (None, "null")
    assert there.parameters["model.sizes"] in ([1, 2], "[1, 2]")


@EACH
def test_what_is_trained_anew_is_not_there_twice(tracker: str, tmp_path: Path) -> None:
    attempt(tracker, tmp_path, "killed", 0, 1, 2, 3)
    # Its checkpoint is older, or gone.
    attempt(tracker, tmp_path, "completed", 2, 3, 4)
    assert epochs(tracker, tmp_path) == [1, 2, 3, 4]
    attempt(tracker, tmp_path, "completed", 0, 1, 2)
    assert epochs(tracker, tmp_path) == [1, 2]


@EACH
def test_an_end_that_came_before_the_result_was_written_is_not_there_twice(tracker: str, tmp_path: Path) -> None:
    attempt(tracker, tmp_path, "completed", 0, 1, 2)
    attempt(tracker, tmp_path, "completed", 2)
    assert epochs(tracker, tmp_path) == [1, 2]
    assert found(tracker, tmp_path).final == {"final/test_accuracy": 0.5}  # the readers refuse a second one


@EACH
def test_a_failure_is_told(tracker: str, tmp_path: Path) -> None:
    attempt(tracker, tmp_path, "failed", 0, 1)
    assert epochs(tracker, tmp_path) == [1]
    assert found(tracker, tmp_path).state == "failed"


def test_a_store_whose_making_was_killed_is_made_again(tmp_path: Path) -> None:
    process = begin("mlflow", tmp_path, "completed", 0, 1)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".mlflow.db.new*")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert not (tmp_path / "mlflow.db").exists()
    attempt("mlflow", tmp_path, "completed", 1, 2)
    assert epochs("mlflow", tmp_path) == [1, 2]


def test_processes_that_begin_at_once_make_one_parent(tmp_path: Path) -> None:
    runs = [f"{number:012x}" for number in range(6)]
    processes = [begin("mlflow", tmp_path, "completed", 0, 1, 2, 3, run=run) for run in runs]
    for process in processes:
        output, _ = process.communicate(timeout=240)
        assert (process.returncode, "warning" in output) == (0, False), output
    there = READERS["mlflow"](tmp_path)  # refuses a second parent
    assert sorted(there) == runs
    assert all([number for number, _ in run.epochs] == [1, 2, 3] for run in there.values())
    assert {run.state for run in there.values()} == {"completed"}
