"""Completed runs that are kept without their weights."""

from pathlib import Path

import pytest

from rnn_mnist.__main__ import main
from rnn_mnist.api import train
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.record import State, read_run
from rnn_mnist.runs.run import Run
from rnn_mnist.training.trained_model import load_trained_model
from tests.conftest import SMALL

RUN = (*SMALL, "model=rnn", "training.epochs=1")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    directory = tmp_path / "sweep" / "run"
    train(RUN, directory)
    return directory


def test_they_stay_completed_and_are_not_trained_again(run: Path) -> None:
    before = {name: (run / name).stat().st_mtime_ns for name in ("metrics.csv", "predictions.npy", "result.json")}
    assert main(["runs", str(run.parent), "--drop-weights", "--yes"]) == 0
    assert not (run / "model.pt").exists()
    assert not (run / "checkpoint.pt").exists()
    assert read_run(run).state == State.completed
    train(RUN, run)
    assert {name: (run / name).stat().st_mtime_ns for name in before} == before
    assert not (run / "model.pt").exists()


def test_a_run_that_lost_its_weights_otherwise_is_not_completed(run: Path) -> None:
    identifier = Run(run).manifest()["run_id"]
    assert Run(run).completed(identifier)
    (run / "model.pt").unlink()
    assert not Run(run).completed(identifier)
    with pytest.raises(ExpectedError, match="not completed"):
        Run(run).remove_weights()


def test_trained_anew_it_has_weights_and_needs_them(run: Path) -> None:
    Run(run).remove_weights()
    train([*RUN, "resume=false"], run)
    assert (run / "model.pt").exists()
    (run / "model.pt").unlink()
    assert not Run(run).completed(Run(run).manifest()["run_id"])


def test_what_else_is_missing_still_counts(run: Path) -> None:
    Run(run).remove_weights()
    (run / "predictions.npy").unlink()
    assert not Run(run).completed(Run(run).manifest()["run_id"])


def test_a_model_without_weights_says_why(run: Path) -> None:
    Run(run).remove_weights()
    with pytest.raises(ExpectedError, match="were removed"):
        load_trained_model(run)


def test_nothing_goes_without_being_asked(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", str(run.parent), "--drop-weights"]) == 1
    assert "--yes" in capsys.readouterr().err
    assert (run / "model.pt").exists()
