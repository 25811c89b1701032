"""What is said of runs that diverge, that tie, or that have no seeds in common, and of a factor with many contrasts."""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.factors import FactorError
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.statistics.answer import answer, find_best
from rnn_mnist.analysis.statistics.anytime import critical
from rnn_mnist.analysis.statistics.effects import effects
from rnn_mnist.analysis.statistics.power import Method, minimum_detectable_difference, required_seeds
from rnn_mnist.analysis.statistics.verdict import Reason, Verdict, sentence, verdict_text
from rnn_mnist.catalogues.metrics import METRICS
from rnn_mnist.runs.looks import look_at
from tests.synthetic_sweep import write_sweep

ACCURACY = METRICS["test_accuracy"]


def change_results(runs: Iterable[Path], content: Mapping[str, Any]) -> None:
    for run in runs:
        path = run / "result.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **content}))


def test_a_level_that_always_diverges_in_one_context_is_not_better_for_the_other(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"model.num_layers": [1, 2], "optimizer.lr": [0.001, 0.01]}
    write_sweep(
        tmp_path / "s", grid, seeds=range(6), states=dict.fromkeys(range(3, 24, 4), "failed"), files=False,
        accuracy=lambda o: 0.97 + 0.02 * (o["model.num_layers"] == 2),
    )  # fmt: skip
    (row,) = rows_of(effects(load_runs(tmp_path / "s").frame, ["model.num_layers"]))
    assert row["high"] < 0
    assert (row["verdict"], row["reason"]) == (Verdict.not_comparable, Reason.diverges)
    assert "when that trains, but 6 of 12 of the reference diverge" in sentence(row, ACCURACY, 0.001)
    assert verdict_text(row) == "not comparable: 6 of 12 of the reference diverge"


def test_a_level_that_mostly_diverges_is_not_equivalent(tmp_path: Path) -> None:
    states = dict.fromkeys(range(0, 16, 2), "failed")
    write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, seeds=range(12), noise=0.0003, states=states, files=False)
    (row,) = rows_of(effects(load_runs(tmp_path / "s").frame))
    assert -0.001 < row["low"] < row["high"] < 0.001
    assert (row["verdict"], row["reason"]) == (Verdict.not_comparable, Reason.diverges)
    assert "is equivalent to 2 within ±0.1 points" in sentence(row, ACCURACY, 0.001)
    assert sentence(row, ACCURACY, 0.001).endswith("when it trains, but 8 of 12 diverge, 0 of 12 of the reference")


def test_a_reference_that_never_trains_is_named(tmp_path: Path) -> None:
    states = dict.fromkeys(range(1, 12, 2), "failed")
    write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, seeds=range(6), states=states, files=False)
    (row,) = rows_of(effects(load_runs(tmp_path / "s").frame))
    assert verdict_text(row) == "better: every run of the reference diverged"
    assert sentence(row, ACCURACY, 0.001) == "num_layers=1 is better than 2: 6 of 6 of the reference diverge"
    assert 0 < row["p_value"] == row["p_adjusted"] < 0.01


def test_levels_that_never_train_are_held_to_the_level_of_their_family(tmp_path: Path) -> None:
    grid = {"model.num_layers": [1, 2, 3, 4]}
    write_sweep(tmp_path / "s", grid, seeds=range(3), states=dict.fromkeys((0, 4, 8), "failed"), files=False)
    one, *_ = rows_of(effects(load_runs(tmp_path / "s").frame))
    assert one["p_value"] < 0.05 < one["p_adjusted"]
    assert (one["verdict"], one["reason"]) == (Verdict.not_comparable, Reason.all_diverged)


def test_ties_of_one_epoch_prove_nothing(tmp_path: Path) -> None:
    runs = write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, seeds=range(3), files=False)
    change_results(runs[::2], {"best_epoch": 3})
    (row,) = rows_of(effects(load_runs(tmp_path / "s").frame, metric="best_epoch"))
    assert (row["difference"], row["verdict"]) == (-1, Verdict.undecided)


def test_ties_of_one_image_prove_nothing_on_two_data_sets_either(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"optimizer.lr": [0.003, 0.01], "data": ["mnist", "fashion_mnist"]}
    write_sweep(
        tmp_path / "s", grid, seeds=range(3), noise=0.0, files=False,
        accuracy=lambda o: 0.97 + 0.0001 * (o["optimizer.lr"] == 0.003),
    )  # fmt: skip
    (row,) = rows_of(effects(load_runs(tmp_path / "s").frame, ["optimizer.lr"]))
    assert row["difference"] == pytest.approx(0.0001)
    assert not row["verdict"].resolved


def test_what_is_the_same_in_every_seed_is_not_undecided(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {"model.bias": [False, True], "model.num_layers": [1, 2]}, files=False)
    layers, bias = rows_of(effects(load_runs(tmp_path / "s").frame, metric="parameters"))
    assert bias["verdict"] is Verdict.equivalent
    assert sentence(bias, METRICS["parameters"], None) == "bias=false is the same as true in every seed"
    assert layers["verdict"] is Verdict.better
    assert sentence(layers, METRICS["parameters"], None).endswith("(with every seed alike)")


def test_seeds_that_two_levels_do_not_share_are_counted_as_such(tmp_path: Path) -> None:
    for seeds, size in ((range(5), 64), (range(4, 9), 128)):
        write_sweep(tmp_path / "s", {"training.batch_size": [size]}, seeds=seeds, files=False)
    (row,) = rows_of(effects(load_runs(tmp_path / "s").frame))
    assert (row["seeds"], row["reason"]) == (5, Reason.too_few_seeds)
    assert verdict_text(row) == "not comparable: too few seeds that both have (1)"
    assert math.isnan(row["low"])


def answer_of(sweep: Path, **options: Any) -> list[str]:
    runs = load_runs(sweep).frame
    return list(answer(runs, effects(runs, **options)).sentences)


def test_contrasts_that_come_to_the_same_are_one_clause(tmp_path: Path) -> None:
    sizes = [8, 16, 24, 32, 48, 64, 80, 96, 128, 160, 192, 256]
    write_sweep(
        tmp_path / "s", {"model.hidden_size": sizes}, noise=0.0002, files=False,
        accuracy=lambda o: 0.95 + 0.0001 * o["model.hidden_size"],
    )  # fmt: skip
    text, _ = answer_of(tmp_path / "s")
    assert text.startswith("hidden_size=8, 16, 24, 32, 48, 64, 80 and 96 are worse than 128 by 0.3")
    assert "160, 192 and 256 are better than 128 by 0.3" in text
    text, _ = answer_of(tmp_path / "s", all_pairs=True)
    assert text.startswith("hidden_size=8, 16, 24, 32, 48, 64, 80, 96, 128, 160 and 192 are worse than 256 by 0.6")
    assert text.endswith("of 55 more pairs the table tells.")
    text, _ = answer_of(tmp_path / "s", all_pairs=True, metric="parameters")
    assert text.startswith("hidden_size=16, 24, 32, 48, 64, 80, 96, 128, 160, 192 and 256 are worse than 8 by 3,456 to")


def test_levels_that_are_alike_are_equivalent_in_one_clause(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {"model.num_layers": [1, 2, 3, 4]}, noise=0.0002, files=False)
    text, _ = answer_of(tmp_path / "s")
    assert text.startswith("num_layers=1, 3 and 4 are equivalent to 2 within ±0.1 points (-0.0")


def test_the_best_says_what_chose_it_and_what_was_not_considered(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"model.num_layers": [1, 2], "data.validation_size": [0, 5000]}
    runs = write_sweep(tmp_path / "s", grid, files=False)
    change_results(runs[::2], {"val_accuracy": None})
    assert answer_of(tmp_path / "s")[-1].startswith("Best by test: ")
    runs = write_sweep(tmp_path / "f", {"model.num_layers": [1, 2, 3]}, states={1: "failed", 5: "running"}, files=False)
    text = answer_of(tmp_path / "f")[-1]
    assert text.startswith("Best by validation: num_layers=1 ")
    assert text.endswith("; settings that are not considered: 1 in which runs diverged, 1 with fewer seeds.")
    write_sweep(tmp_path / "n", {"model.num_layers": [1, 2]}, states={0: "failed", 1: "failed"}, files=False)
    assert answer_of(tmp_path / "n")[-1].endswith("so that none is called the best.")


def test_draws_that_cross_the_seed_are_no_more_seeds_of_the_best(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"model.num_layers": [1, 2], "data.split_seed": [0, 1, 2, 3]}
    write_sweep(
        tmp_path / "s", grid, seeds=range(2), noise=0.0001, files=False,
        accuracy=lambda o: 0.97 + 0.01 * (o["model.num_layers"] == 2),
    )  # fmt: skip
    runs = load_runs(tmp_path / "s").frame
    best = find_best(runs)
    assert best is not None
    assert (best.seeds, best.replicates) == (8, 4)
    write_sweep(tmp_path / "d", {"data.split_seed": [0, 1, 2, 3]}, seeds=[0], files=False)
    draws = load_runs(tmp_path / "d").frame
    assert answer(draws, effects(draws, ["data.split_seed"])).best is None


def test_the_settings_that_the_best_is_not_told_from_are_named_nearest_first(tmp_path: Path) -> None:
    hidden_sizes = {8: 0.95, 16: 0.93, 32: 0.97, 64: 0.94, 128: 0.96}
    write_sweep(
        tmp_path / "s", {"model.hidden_size": list(hidden_sizes)}, noise=0.05, validation_noise=0.0001, files=False,
        accuracy=lambda o: hidden_sizes[o["model.hidden_size"]],
    )  # fmt: skip
    runs = load_runs(tmp_path / "s").frame
    best = find_best(runs)
    assert best is not None
    means = runs.groupby("model.hidden_size")["val_accuracy"].mean()
    nearest_first = [f"hidden_size={size}" for size in means.sort_values(ascending=False).index]
    assert [best.label, *best.tied] == nearest_first


def test_a_broken_file_of_looks_is_an_earlier_look(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, files=False)
    records = load_runs(tmp_path / "s").records
    for broken in (
        "",
        "[]",
        '{"looks": 3, "runs": []}',
        '{"looks": [{}], "runs": {"a": "b"}}',
        '{"schema_version": 9}',
    ):
        (tmp_path / "s" / "looks.json").write_text(broken)
        assert look_at(records) == look_at(records) == 2


def test_by_the_only_factor_is_refused(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, files=False)
    with pytest.raises(FactorError, match="there is no other factor to compare"):
        effects(load_runs(tmp_path / "s").frame, by="model.num_layers")


def test_seeds_needed_at_any_time_are_those_of_its_own_interval() -> None:
    seeds = required_seeds(0.001, 0.002, Method.anytime)
    assert seeds > required_seeds(0.001, 0.002, Method.paired)
    draws = np.random.default_rng(0).normal(0.001, 0.002, size=(4000, seeds))
    t = draws.mean(axis=1) / (draws.std(axis=1, ddof=1) / math.sqrt(seeds))
    found = np.mean(np.abs(t) > critical(seeds, 0.05))
    assert found == pytest.approx(0.8, abs=4 * math.sqrt(0.8 * 0.2 / 4000))
    assert math.isinf(minimum_detectable_difference(3, 3, 0.002, Method.anytime))


def test_a_run_that_stands_for_several_cells_fails_once(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"model.num_layers": [1, 2], "model.dropout": [0.0, 0.2, 0.5]}
    states = {0: "failed", 4: "interrupted"}
    write_sweep(tmp_path / "s", grid, seeds=range(6), states=states, files=False)
    layers, *dropout = rows_of(effects(load_runs(tmp_path / "s").frame))
    assert (layers["failed"], layers["runs"], layers["missing"]) == (1, 5, 1)
    assert (layers["failed_reference"], layers["runs_reference"], layers["missing_reference"]) == (0, 18, 0)
    for row in dropout:  # with one layer nothing is compared
        assert (row["failed"], row["runs"], row["missing"]) == (0, 6, 0)
        assert (row["failed_reference"], row["runs_reference"], row["missing_reference"]) == (0, 6, 0)
    at_none, *_ = rows_of(effects(load_runs(tmp_path / "s").frame, ["model.num_layers"], by="model.dropout"))
    assert (at_none["failed"], at_none["runs"], at_none["missing"]) == (1, 5, 1)
