"""``hydra/sweeper=resolve`` of ``rnn_mnist.train``: its defaults, its measure, and runs that are there already."""

import json
import math
from pathlib import Path

import pytest

from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.measures import test_accuracy as accuracy
from rnn_mnist.runs.measures import test_loss as loss
from tests.conftest import SMALL, SMALL_SWEEP, CommandLine
from tests.synthetic_sweep import write_sweep

RESOLVE = (
    *SMALL_SWEEP,
    "hydra/sweeper=resolve",
    "hydra.sweeper.max_seeds=3",
    "hydra.sweeper.looks=[2,3]",
    "sweep=tiny",
)


@pytest.mark.slow
def test_a_study_is_resolved(command: CommandLine, tmp_path: Path) -> None:
    done = command("rnn_mnist.train", "-m", "experiment=depth", "training.epochs=1", "model.num_layers=1,2", *RESOLVE)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "outputs" / "tiny" / "resolve.json").read_text())
    plan = record["plan"]
    assert (plan["margin"], plan["unit"], plan["factors"]) == (0.1, "points", {"model.num_layers": ["1", "2"]})
    assert plan["reference"] == {"model.num_layers": "1"}  # the study's, not the tutorial's 2
    assert plan["configuration"]["training.epochs"] == 1
    rows = [row for look in record["looks"] for row in look["runs"]]
    assert len(rows) == 6
    results = [json.loads(path.read_text()) for path in (tmp_path / "outputs" / "tiny").glob("*/result.json")]
    assert sorted(row["value"] for row in rows) == sorted(100 * result["test_accuracy"] for result in results)
    answer = done.stdout.splitlines()[-2:]
    assert answer[0].startswith("model.num_layers=2 against 1 is undecided: ")
    assert answer[1].startswith("6 runs")


@pytest.mark.slow
def test_runs_that_are_there_are_used(command: CommandLine, tmp_path: Path) -> None:
    # The ordinary sweep, over the very seeds.
    assert (
        command("rnn_mnist.train", "-m", *SMALL_SWEEP, "sweep=tiny", "model.num_layers=1,2", "seed=0,1").returncode == 0
    )
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "outputs" / "tiny").glob("*/result.json")}
    done = command("rnn_mnist.train", "-m", "model.num_layers=1,2", *RESOLVE)
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(list((tmp_path / "outputs" / "tiny").glob("*/result.json"))) == 6


def test_the_measure_of_a_run(tmp_path: Path) -> None:
    for run in write_sweep(tmp_path, {"model.num_layers": [1, 2]}, seeds=range(1)):
        result = json.loads((run / "result.json").read_text())
        assert accuracy(run) == 100 * result["test_accuracy"]
        assert loss(run) == result["test_loss"]


@pytest.mark.slow
def test_a_run_that_diverged_is_an_outcome_and_one_that_was_killed_is_none(
    command: CommandLine, tmp_path: Path
) -> None:
    wild = ["model=rnn", "model.nonlinearity=relu", "optimizer=sgd", "optimizer.lr=1000", "seed=1"]
    assert command("rnn_mnist.train", *SMALL, *wild).returncode == 1
    (run,) = (path.parent for path in (tmp_path / "outputs" / "single").glob("*/manifest.json"))
    assert math.isnan(accuracy(run))
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, "diverged": False}))
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps({**status, "error": "killed by signal 9"}))
    with pytest.raises(ExpectedError, match="killed"):
        accuracy(run)


@pytest.mark.slow
def test_the_answer_comes_last_and_names_who_diverged(command: CommandLine) -> None:
    wild = ["model=rnn", "model.nonlinearity=relu", "optimizer=sgd", "optimizer.lr=0.01,1000", "training.epochs=1"]
    done = command("rnn_mnist.train", "-m", *wild, *RESOLVE, "hydra.sweeper.first_seed=1")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "1000 fails in 2 of 2 runs, 0.01 in 0 of 2" in done.stdout.splitlines()[-2]
