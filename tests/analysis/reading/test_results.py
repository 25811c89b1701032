"""The table of runs: what is read, what is left out and said, and which keys are factors."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_mnist.analysis.plots.source import find_source
from rnn_mnist.analysis.reading.factors import FactorError, find_aliases, find_factors, resolve_factor
from rnn_mnist.analysis.reading.outcomes import outcomes
from rnn_mnist.analysis.reading.results import accuracy_by_step, check_metric, completed, learning_curves, load_runs
from rnn_mnist.analysis.reading.run_directories import ResultsError
from rnn_mnist.analysis.report.answer_text import missing_runs
from rnn_mnist.data.files import load_test_images
from rnn_mnist.runs.files import RunFormatError, load_predictions
from tests.synthetic_sweep import write_sweep


def _json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_one_row_a_run_with_keys_and_figures(tmp_path: Path) -> None:
    written = write_sweep(tmp_path / "depth", {"model.num_layers": [1, 2]}, seeds=range(3))
    loaded = load_runs(tmp_path / "depth")
    runs = loaded.frame
    assert len(runs) == 6
    assert set(runs["directory"]) == {str(run) for run in written}
    assert list(runs.columns[:6]) == ["sweep", "directory", "run", "run_id", "setting_id", "status"]
    assert set(runs["sweep"]) == {"depth"}
    assert runs["setting_id"].nunique() == 2
    result = json.loads((written[0] / "result.json").read_text(encoding="utf-8"))
    row = runs.set_index("directory").loc[str(written[0])]
    assert row["test_accuracy"] == result["test_accuracy"]
    assert row["model.num_layers"] == 1
    assert runs["model.num_layers"].dtype == int
    assert runs["test_accuracy"].dtype == float
    assert row["data.root"] is None
    assert row["question"] == "What does it do?"
    assert loaded.problems == ()


def test_a_run_several_sweeps_and_repeated_directories(tmp_path: Path) -> None:
    (first, *_) = write_sweep(tmp_path / "all" / "depth", {"model.num_layers": [1, 2]}, seeds=[0])
    write_sweep(tmp_path / "all" / "cell", {"model": ["rnn", "gru"]}, seeds=[0])
    assert len(load_runs(first).frame) == 1
    runs = load_runs(tmp_path / "all").frame
    assert sorted(set(runs["sweep"])) == ["cell", "depth"]
    assert len(load_runs(tmp_path / "all", first, tmp_path / "all" / "depth").frame) == 4
    # A key that one sweep's runs do not have is None there, and stands where it stands in the others.
    assert list(runs.loc[runs["sweep"] == "depth", "model.nonlinearity"]) == [None, None]
    assert list(runs.columns).index("model.nonlinearity") < list(runs.columns).index("sequence.kind")


def test_a_run_in_two_sweeps_counts_once(tmp_path: Path) -> None:
    write_sweep(tmp_path / "a", {"model.num_layers": [1, 2]}, seeds=range(2), states={0: "failed"})
    write_sweep(tmp_path / "b", {"model.num_layers": [1]}, seeds=range(2))
    loaded = load_runs(tmp_path / "a", tmp_path / "b")
    runs = loaded.frame
    assert len(runs) == 4
    assert (runs["status"] == "completed").all()
    assert len(loaded.duplicates) == 2
    assert "counted once" in loaded.duplicates[0]
    assert [str(record.directory) for record in loaded.records] == list(runs["directory"])


def test_unfinished_and_failed_runs_keep_their_rows(tmp_path: Path) -> None:
    states = {0: "failed", 1: "running", 2: "interrupted"}
    write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, seeds=range(2), states=states)
    runs = load_runs(tmp_path / "s").frame
    assert sorted(runs["status"]) == ["completed", "failed", "interrupted", "running"]
    failed = runs[runs["status"] == "failed"].iloc[0]
    assert "nan" in failed["error"]
    assert np.isnan(failed["test_accuracy"])
    assert len(learning_curves(runs)["directory"].unique()) == 4


def test_broken_runs_are_said_and_left_out(tmp_path: Path) -> None:
    broken = write_sweep(tmp_path / "s", {"model.num_layers": range(1, 11)}, seeds=[0])
    (broken[0] / "manifest.json").write_text('{"run_id": ', encoding="utf-8")
    (broken[1] / "result.json").write_text(json.dumps({**_json(broken[1] / "result.json"), "test_loss": "small"}))
    (broken[2] / "status.json").write_text("[]", encoding="utf-8")
    (broken[3] / "manifest.json").write_text("{}", encoding="utf-8")
    (broken[4] / "manifest.json").write_bytes(b"\xff\xfe\x00")
    (broken[5] / "manifest.json").write_text('{"schema_version": 99}', encoding="utf-8")
    (broken[6] / "manifest.json").unlink()
    (broken[7] / "result.json").write_text('{"run_id": "another"}', encoding="utf-8")
    (broken[8] / "manifest.json").write_text('{"name": "somebody else\'s", "icons": []}', encoding="utf-8")
    runs = load_runs(tmp_path / "s")
    assert list(runs.frame["directory"]) == [str(broken[9])]
    problems = "\n".join(runs.problems)
    assert len(problems.splitlines()) == 9
    assert "newer" in problems
    assert "another run" in problems
    assert all(str(run) in problems for run in broken[:9])


def test_a_job_that_died_before_its_manifest_is_a_failed_run_of_no_known_setting(tmp_path: Path) -> None:
    (died, *_) = write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, seeds=range(2))
    (died / "manifest.json").unlink()
    (died / "result.json").unlink()
    (died / "status.json").write_text(
        '{"state": "failed", "error": "killed: out of memory", "fingerprint": "abc"}', encoding="utf-8"
    )
    runs = load_runs(tmp_path / "s").frame
    (row,) = runs[runs["status"] == "failed"].to_dict("records")
    assert (row["run_id"], row["error"]) == ("abc", "killed: out of memory")
    assert len(runs) == 4
    assert find_factors(runs) == ["model.num_layers"]


def test_learning_curves_steps_and_predictions(tmp_path: Path) -> None:
    written = write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, seeds=[0], epochs=3)
    (written[0] / "metrics.csv").write_text("", encoding="utf-8")
    runs = load_runs(tmp_path / "s").frame
    curves = learning_curves(runs)
    assert list(curves["epoch"]) == [1, 2, 3]
    assert set(curves["model.num_layers"]) == {2}
    assert not curves.columns.duplicated().any()
    assert len(curves.attrs["problems"]) == 1
    steps = accuracy_by_step(runs)
    assert steps["step"].max() == 28
    assert len(steps) == 56
    final = steps[steps["step"] == 28].set_index("directory")["test_accuracy"]
    assert final.to_dict() == runs.set_index("directory")["test_accuracy"].to_dict()
    hits = load_predictions(written[0]) == load_test_images()[1]
    assert hits.mean() == runs.set_index("directory").loc[str(written[0]), "test_accuracy"]
    (written[0] / "predictions.npy").write_bytes(b"nothing")
    with pytest.raises(RunFormatError, match=r"predictions\.npy: unreadable"):
        load_predictions(written[0])
    with pytest.raises(RunFormatError, match="no such file"):
        load_predictions(tmp_path)


def test_wrong_places_are_named(tmp_path: Path) -> None:
    (tmp_path / "depth").mkdir()
    with pytest.raises(ResultsError, match=r"dpeth: no such directory; in .* there is depth"):
        load_runs(tmp_path / "dpeth")
    with pytest.raises(ResultsError, match="no run in it; there is nothing"):
        load_runs(tmp_path / "depth")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ResultsError, match="a file"):
        load_runs(tmp_path / "file")
    write_sweep(tmp_path / "s", {"model.num_layers": [1]}, seeds=[0], states={0: "running"})
    with pytest.raises(ResultsError, match=r"s: no completed run yet \(1 running\)"):
        completed(load_runs(tmp_path / "s").frame)
    with pytest.raises(ResultsError, match=r"no such metric; there are .*test_accuracy"):
        check_metric(load_runs(tmp_path / "s").frame, "accuracy")


def test_factors_in_config_order_without_what_follows_from_them(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"model.parameter_budget": [10_000, 50_000], "model": ["rnn", "lstm", "gru"]}
    write_sweep(tmp_path / "a", grid, seeds=range(2), files=False)
    runs = load_runs(tmp_path / "a").frame
    assert find_factors(runs) == ["model.cell", "model.parameter_budget"]
    assert find_aliases(runs)["model.hidden_size"] == ["model.cell", "model.parameter_budget"]
    assert find_aliases(runs)["model.nonlinearity"] == ["model.cell"]
    write_sweep(tmp_path / "b", {"schedule": ["constant", "one_cycle"], "optimizer.lr": [0.1, 0.2]}, files=False)
    runs = load_runs(tmp_path / "b").frame
    assert find_factors(runs) == ["optimizer.lr", "schedule.name"]
    assert find_aliases(runs)["optimizer.beta1"] == ["schedule.name"]


def test_devices_and_threads_are_no_factors_and_samples_are(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    settings = [
        {"optimizer.lr": float(draw.uniform()), "optimizer.weight_decay": float(draw.uniform()), "training.threads": n}
        for n in range(1, 9)
    ]
    write_sweep(tmp_path / "s", settings=settings, seeds=[0], files=False)
    assert find_factors(load_runs(tmp_path / "s").frame) == ["optimizer.lr", "optimizer.weight_decay"]


def test_factors_are_found_by_their_short_names(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {"model.num_layers": [1, 2], "model": ["rnn", "gru"]}, seeds=[0], files=False)
    runs = load_runs(tmp_path / "s").frame
    assert resolve_factor(runs, "num_layers") == "model.num_layers"
    assert resolve_factor(runs, "model") == "model.cell"
    with pytest.raises(FactorError, match=r"no such factor; what varies: model\.cell, model\.num_layers"):
        resolve_factor(runs, "depth")
    with pytest.raises(FactorError, match=r"optimizer\.lr: is 0\.01 in all 4 runs"):
        resolve_factor(runs, "optimizer.lr")


def test_pruned_runs_are_neither_results_nor_failures(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, seeds=range(3), states={0: "pruned", 3: "failed"})
    runs = load_runs(tmp_path / "s").frame
    assert sorted(runs["status"]) == ["completed"] * 4 + ["failed", "pruned"]
    found = outcomes(runs)
    assert (found.completed, found.pruned, found.diverged, found.missing) == (4, 1, 1, 0)
    assert found.text == "4 (1 diverged, 1 pruned)"
    assert "4 completed runs, 1 failed, 1 pruned" in find_source(runs).text()
    assert missing_runs(runs) == ["1 of 6 runs was pruned by the search (censored: neither results nor failures)."]
    pruned = runs[runs["status"] == "pruned"].iloc[0]
    assert np.isnan(pruned["test_accuracy"])
    assert pruned["directory"] in set(learning_curves(runs)["directory"])
