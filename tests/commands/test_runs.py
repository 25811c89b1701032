"""``rnn-mnist runs`` as a user meets it."""

from pathlib import Path

from rnn_mnist.analysis.reading.results import load_runs
from tests.commands.conftest import RunPython


def test_every_run_is_listed_with_state_value_and_path(process: RunPython, depth: Path) -> None:
    result = process("runs", "outputs/depth")
    assert (result.returncode, result.stderr) == (0, "")
    rows = [line.split() for line in result.stdout.splitlines() if "outputs/depth/" in line]
    assert sorted(row[0] for row in rows) == ["completed"] * 5 + ["failed"]
    for run in load_runs(depth).frame.to_dict("records"):
        (line,) = [line for line in result.stdout.splitlines() if run["run"] in line]
        if run["status"] == "completed":
            assert f"{100 * run['val_accuracy']:.2f}" in line
            assert f"{100 * run['test_accuracy']:.2f}" in line


def test_failed_runs_come_with_their_cause(rnn_mnist: RunPython, depth: Path) -> None:
    result = rnn_mnist("runs", str(depth), "--failed")
    (line,) = [line for line in result.stdout.splitlines() if str(depth) in line]
    assert line.split()[0] == "failed"
    assert "loss is nan in epoch 2, step 7" in line


def test_best_are_those_of_highest_validation_accuracy_best_first(rnn_mnist: RunPython, depth: Path) -> None:
    runs = load_runs(depth).frame
    best = list(runs.sort_values("val_accuracy", ascending=False)["run"][:2])
    shown = rnn_mnist("runs", "outputs/depth", "--best", "2").stdout
    assert [line.split("/")[-1].strip() for line in shown.splitlines() if "outputs/depth/" in line] == best
    assert rnn_mnist("runs", "outputs/depth", "--best", "0").returncode == 2


def test_there_may_be_none(rnn_mnist: RunPython, early: Path) -> None:
    best = rnn_mnist("runs", early.name, "--best", "1")
    assert (best.returncode, best.stderr) == (1, "error: early: no completed run yet (1 failed, 1 running)\n")


def test_failed_runs_are_removed_when_that_is_sure(process: RunPython, depth: Path) -> None:
    before = {run["run"]: run["status"] for run in load_runs(depth).frame.to_dict("records")}
    unsure = process("runs", "outputs/depth", "--clean")
    assert unsure.returncode == 1
    assert "--yes" in unsure.stderr
    assert len(load_runs(depth).frame) == len(before)
    assert process("runs", "outputs/depth", "--clean", "--yes").returncode == 0
    assert set(load_runs(depth).frame["run"]) == {run for run, status in before.items() if status != "failed"}
    assert process("runs", "outputs/depth", "--clean", "--yes").returncode == 0
    assert process("runs", "outputs/depth", "--yes").returncode == 2
