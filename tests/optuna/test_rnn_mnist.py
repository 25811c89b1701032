"""``hydra/sweeper=optuna`` of ``rnn_mnist.train``: real runs, killed with all that watches them, pruned, carried on."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import SMALL_SWEEP, CommandLine

pytest.importorskip("optuna", minversion="4.5")

SPACE = ("hydra/sweeper=optuna", "sweep=tiny", "optimizer.lr=tag(log,interval(1e-4,1e-1))", "hydra.sweeper.seed=1")


def rows(sweep: Path) -> list[dict[str, str]]:
    with (sweep / "results.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def epochs(run: Path) -> int:
    return len((run / "metrics.csv").read_text(encoding="utf-8").splitlines()) - 1


@pytest.mark.slow
def test_twenty_trials_killed_three_times_are_twenty_runs(command: CommandLine, tmp_path: Path) -> None:
    arguments = (
        *("-m", *SPACE, *SMALL_SWEEP, "training.epochs=3"),
        *("hydra.sweeper.n_trials=20", "hydra.sweeper.remeasure=0", "hydra.launcher.jobs_per_device=2"),
    )
    sweep = tmp_path / "outputs" / "tiny"
    # The moments are those at which so many runs have ended, and a little: however busy the machine is.
    for ended, more in ((1, 0.2), (5, 0.45), (11, 0.05)):
        process = subprocess.Popen(
            [sys.executable, "-m", "rnn_mnist.train", *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 120
        while len(list(sweep.glob("*/result.json"))) < ended and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(more)
        assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.5)
    done = command("rnn_mnist.train", *arguments)
    assert done.returncode == 0, done.stderr
    results = rows(sweep)
    assert len(results) == 20
    assert {row["status"] for row in results} == {"completed"}
    assert len({row["optimizer.lr"] for row in results}) == 20
    for run in map(Path, (row["directory"] for row in results)):
        assert epochs(tmp_path / run) == 3
        log = (tmp_path / run / "train.log").read_text(encoding="utf-8")
        # Each was trained once: no epoch of it is there twice.
        assert log.count("(weights of epoch") == 1
    answer = json.loads((sweep / "search.json").read_text())
    assert answer["states"] == {"completed": 20}
    best = max(float(row["val_accuracy"]) for row in results)
    assert answer["best"][0]["searched"] == [pytest.approx(100 * best)]


@pytest.mark.slow
def test_pruned_runs_keep_their_epochs_and_go_on_in_a_grid(command: CommandLine, tmp_path: Path) -> None:
    done = command(
        *("rnn_mnist.train", "-m", *SPACE, *SMALL_SWEEP, "training.epochs=6", "hydra.sweeper.n_trials=10"),
        *("hydra.sweeper.sampler=random", "hydra.sweeper.pruner=median", "hydra.sweeper.remeasure=2"),
        *("hydra.sweeper.pruner_options={n_startup_trials: 2}", "hydra.sweeper.remeasure_seeds=2"),
    )
    assert done.returncode == 0, done.stderr
    sweep = tmp_path / "outputs" / "tiny"
    pruned = [row for row in rows(sweep) if row["status"] == "pruned"]
    assert pruned
    assert all(row["test_accuracy"] == "" for row in pruned)
    run = tmp_path / pruned[0]["directory"]
    made = epochs(run)
    assert 1 <= made < 6
    before = (run / "metrics.csv").read_text(encoding="utf-8")
    status = command("rnn_mnist", "status", "outputs/tiny")
    assert f"{len(pruned)} pruned" in status.stdout
    answer = json.loads((sweep / "search.json").read_text())
    assert [len(row["values"]) for row in answer["best"]] == [2, 2]
    learning_rate = f"optimizer.lr={pruned[0]['optimizer.lr']}"
    again = command("rnn_mnist.train", "-m", *SMALL_SWEEP, "sweep=tiny", "training.epochs=6", learning_rate, "seed=0")
    assert again.returncode == 0, again.stderr
    after = (run / "metrics.csv").read_text(encoding="utf-8")
    assert after.startswith(before)
    assert epochs(run) == 6
    assert {row["directory"]: row["status"] for row in rows(sweep)}[pruned[0]["directory"]] == "completed"


@pytest.mark.slow
def test_accuracy_against_parameters(command: CommandLine, tmp_path: Path) -> None:
    done = command(
        *("rnn_mnist.train", "-m", "hydra/sweeper=optuna", "sweep=tiny", *SMALL_SWEEP[1:], "training.epochs=1"),
        *("model.hidden_size=range(4,33,4)", "hydra.sweeper.n_trials=4", "hydra.sweeper.sampler=nsgaii"),
        *("hydra.sweeper.objectives=[val_accuracy,parameters]", "hydra.sweeper.direction=[maximize,minimize]"),
        *("hydra.sweeper.remeasure=0", "hydra.sweeper.seed=3"),
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads((tmp_path / "outputs" / "tiny" / "search.json").read_text())
    found = [(float(row["val_accuracy"]) * 100, float(row["parameters"])) for row in rows(tmp_path / "outputs/tiny")]
    front = [one for one in found if not any(a >= one[0] and b <= one[1] and (a, b) != one for a, b in found)]
    best = sorted(
        (round(accuracy, 6), parameters) for accuracy, parameters in (row["searched"] for row in answer["best"])
    )
    assert best == sorted((round(accuracy, 6), parameters) for accuracy, parameters in front)


@pytest.mark.slow
def test_a_configuration_that_cannot_be_is_no_end_of_the_search(command: CommandLine, tmp_path: Path) -> None:
    # A projection must be smaller than the hidden size.
    done = command(
        *("rnn_mnist.train", "-m", "hydra/sweeper=optuna", "sweep=tiny", *SMALL_SWEEP, "training.epochs=1"),
        *("model.proj_size=0,4,16", "hydra.sweeper.sampler=grid", "hydra.sweeper.remeasure=0"),
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads((tmp_path / "outputs" / "tiny" / "search.json").read_text())
    assert answer["states"] == {"completed": 2, "failed": 1}
    assert "warning: trial 2 cannot be run: model.proj_size=16" in done.stdout + done.stderr
