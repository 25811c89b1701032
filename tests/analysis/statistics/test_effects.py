"""Known effects are found, intervals cover, and every figure is that of scipy or statsmodels."""

import json
import math
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.power import TTestIndPower

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.factors import FactorError
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.reading.run_directories import ResultsError
from rnn_mnist.analysis.statistics.answer import find_best
from rnn_mnist.analysis.statistics.effects import effects
from rnn_mnist.analysis.statistics.inert import independent_runs, no_op_factors, with_inert_cells
from rnn_mnist.analysis.statistics.interactions import interactions
from rnn_mnist.analysis.statistics.layout import shares_noise
from rnn_mnist.analysis.statistics.mcnemar import compare_two_runs, mcnemar
from rnn_mnist.analysis.statistics.power import (
    Method,
    minimum_detectable_difference,
    power_table,
    required_seeds,
    seeds_range,
)
from rnn_mnist.analysis.statistics.simultaneous import level_of_each
from rnn_mnist.analysis.statistics.summary import interval, summarize, wilson_interval, write_summary
from rnn_mnist.analysis.statistics.variance_shares import shares_by_chance, variance_shares
from rnn_mnist.analysis.statistics.verdict import Reason, Verdict, sentence
from rnn_mnist.catalogues.metrics import METRICS
from rnn_mnist.data.files import load_test_images
from rnn_mnist.runs.looks import look_at
from tests.synthetic_sweep import write_sweep

SIMULATIONS = 1000
# Four standard errors of a proportion of 0.95 in that many simulations.
COVERAGE_TOLERANCE = 4 * math.sqrt(0.95 * 0.05 / SIMULATIONS)


def depth_accuracy(overrides: dict[str, Any]) -> float:
    return {1: 0.960, 2: 0.975, 3: 0.975}[int(overrides["model.num_layers"])]


@pytest.mark.parametrize("n", [3, 5, 10])
def test_intervals_of_means_cover_at_their_nominal_rate(n: int) -> None:
    draws = np.random.default_rng(n).normal(0.97, 0.003, size=(SIMULATIONS, n))
    covered = [low <= 0.97 <= high for low, high in map(interval, draws)]
    assert np.mean(covered) == pytest.approx(0.95, abs=COVERAGE_TOLERANCE)


def test_the_minimum_detectable_difference_is_detected_four_times_in_five() -> None:
    random = np.random.default_rng(0)
    size = minimum_detectable_difference(5, 5, 0.003)
    level, reference = (random.normal(mean, 0.003, size=(SIMULATIONS, 5)) for mean in (0.97 + size, 0.97))
    found = np.mean(stats.ttest_ind(level, reference, axis=1).pvalue < 0.05)
    assert found == pytest.approx(0.8, abs=4 * math.sqrt(0.8 * 0.2 / SIMULATIONS))


def test_fewer_than_three_runs_claim_nothing() -> None:
    assert all(math.isnan(end) for end in interval(np.array([0.97, 0.98])))


@pytest.mark.parametrize("family", [1, 3, 8, 216])
def test_what_is_detectable_is_detected_four_times_in_five(family: int) -> None:
    random, alpha = np.random.default_rng(family), level_of_each(family, 0.05)
    size = minimum_detectable_difference(5, 5, 0.003, alpha=alpha)
    level, reference = (random.normal(mean, 0.003, size=(4000, 5)) for mean in (0.97 + size, 0.97))
    found = np.mean(stats.ttest_ind(level, reference, axis=1).pvalue < alpha)
    assert found == pytest.approx(0.8, abs=4 * math.sqrt(0.8 * 0.2 / 4000))
    size = minimum_detectable_difference(5, 5, 0.003, Method.paired, alpha=alpha)
    differences = random.normal(size, 0.003, size=(4000, 5))
    found = np.mean(stats.ttest_1samp(differences, 0, axis=1).pvalue < alpha)
    assert found == pytest.approx(0.8, abs=4 * math.sqrt(0.8 * 0.2 / 4000))


def test_required_seeds_agree_with_statsmodels_where_that_is_right() -> None:
    for difference in (0.5, 1.0, 2.0):
        expected = math.ceil(TTestIndPower().solve_power(effect_size=difference, alpha=0.05, power=0.8))
        assert required_seeds(difference, 1.0) == expected
        assert minimum_detectable_difference(expected, expected, 1.0) <= difference
        assert minimum_detectable_difference(expected - 1, expected - 1, 1.0) > difference
    assert math.isnan(minimum_detectable_difference(1, 5, 1.0))
    with pytest.raises(ValueError, match="must be positive"):
        required_seeds(0, 1.0)


def test_the_range_of_seeds_holds_the_true_number() -> None:
    random, true = np.random.default_rng(0), required_seeds(0.1, 0.1)
    spreads = random.normal(0, 0.1, size=(2000, 3)).std(axis=1, ddof=1)
    ranges = [seeds_range(0.1, spread, 2, Method.welch, 0.05) for spread in spreads]
    held = np.mean([low <= true <= high for low, high in ranges])
    assert held == pytest.approx(0.8, abs=0.06)  # seeds are whole numbers


def test_wilson() -> None:
    low, high = wilson_interval(0.98, 10_000)
    expected = stats.binomtest(9800, 10_000).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high))


def test_a_sweeps_effects_are_recovered(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {"model.num_layers": [1, 2, 3]}, seeds=range(10), accuracy=depth_accuracy, files=False)
    runs = load_runs(tmp_path / "s").frame
    summary = summarize(runs, ["model.num_layers"])
    assert list(summary["n"]) == [10, 10, 10]
    assert ((summary["low"] < [0.96, 0.975, 0.975]) & (summary["high"] > [0.96, 0.975, 0.975])).all()
    one, three = rows_of(effects(runs))
    assert (one["level"], one["reference"], one["verdict"]) == (1, 2, Verdict.worse)  # 2 is the default
    assert one["low"] < -0.015 < one["high"]
    assert one["method"] is Method.welch
    assert (three["level"], three["verdict"]) == (3, Verdict.undecided)
    assert three["low"] < 0 < three["high"]
    assert three["seeds_low"] < 80 < three["seeds_high"] < 300
    text = sentence(three, METRICS["test_accuracy"], 0.001)
    assert f"{three['seeds_low']:.0f} to {three['seeds_high']:.0f} seeds" in text
    wide = rows_of(effects(runs, margin=0.02))
    assert [row["verdict"] for row in wide] == [Verdict.worse, Verdict.equivalent]
    against_one = rows_of(effects(runs, references={"model.num_layers": 1}))
    assert [row["verdict"] for row in against_one] == [Verdict.better] * 2
    pairs = effects(runs, all_pairs=True)
    assert list(zip(pairs["level"], pairs["reference"], strict=True)) == [(2, 1), (3, 1), (3, 2)]
    power = power_table(effects(runs), [0.001, 0.01])
    assert all(low > 20 and high > 40 for low, high in power[0.001])
    assert all(high < 6 for _, high in power[0.01])
    with pytest.raises(FactorError, match=r"model\.num_layers=7: no completed run has it; there are 1, 2, 3"):
        effects(runs, references={"model.num_layers": 7})


def test_a_metric_has_a_direction(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, seeds=range(6), accuracy=depth_accuracy, files=False)
    runs = load_runs(tmp_path / "s").frame
    (loss,) = rows_of(effects(runs, metric="test_loss"))
    assert loss["difference"] > 0
    assert loss["verdict"] is Verdict.worse
    (size,) = rows_of(effects(runs, metric="parameters"))
    assert size["verdict"] is Verdict.better  # fewer of them
    epochs = runs.assign(best_epoch=runs["best_epoch"] + (runs["model.num_layers"] == 1) * runs["seed"])
    assert not rows_of(effects(epochs, metric="best_epoch"))[0]["verdict"].value.startswith(("better", "worse"))


def test_more_factors_do_not_hide_an_effect(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {
        "model.num_layers": [1, 2, 3], "model.hidden_size": [32, 64, 128], "optimizer.lr": [0.001, 0.003, 0.01],
        "training.batch_size": [64, 128, 256],
    }  # fmt: skip
    write_sweep(
        tmp_path / "s", grid, accuracy=lambda o: 0.97 + 0.002 * (o["model.num_layers"] == 2), noise=0.003, files=False
    )
    table = effects(load_runs(tmp_path / "s").frame)
    assert len(table) == 8
    layers = table[table["factor"] == "model.num_layers"]
    assert set(layers["verdict"]) == {Verdict.worse}
    assert ((layers["low"] < -0.002) & (layers["high"] > -0.002)).all()
    assert not any(verdict.resolved for verdict in table[table["factor"] != "model.num_layers"]["verdict"])
    assert set(table["contexts"]) == {27}
    assert set(table["seeds"]) == {5}


def test_pairing_is_decided_by_the_factor(tmp_path: Path) -> None:
    for key in ("optimizer.lr", "model.readout", "training.batch_size", "data.train_fraction", "sequence.kind"):
        assert shares_noise(key)
    assert shares_noise("model.forget_bias")
    assert not shares_noise("model.hidden_size")
    grid: dict[str, list[Any]] = {"optimizer.lr": [0.001, 0.01], "model.num_layers": [1, 2]}
    write_sweep(tmp_path / "s", grid, seeds=range(6), shared_noise=0.01, noise=0.0005, files=False)
    rows = {row["factor"]: row for row in rows_of(effects(load_runs(tmp_path / "s").frame))}
    assert rows["optimizer.lr"]["method"] is Method.paired
    assert rows["model.num_layers"]["method"] is Method.welch
    assert rows["optimizer.lr"]["standard_deviation"] < 0.002
    assert rows["model.num_layers"]["standard_deviation"] > 0.003


def test_two_seeds_never_claim_anything(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, seeds=range(2), accuracy=depth_accuracy, files=False)
    (row,) = rows_of(effects(load_runs(tmp_path / "s").frame))
    assert (row["verdict"], row["reason"]) == (Verdict.not_comparable, Reason.too_few_seeds)


def test_a_level_that_diverges_does_not_win(tmp_path: Path) -> None:
    states = {0: "failed", 4: "failed", 8: "failed"}
    write_sweep(
        tmp_path / "s", {"model.num_layers": [1, 2]}, seeds=range(6), states=states, files=False,
        accuracy=lambda o: 0.97 + 0.0093 * (o["model.num_layers"] == 1),
    )  # fmt: skip
    runs = load_runs(tmp_path / "s").frame
    (row,) = rows_of(effects(runs))
    assert row["low"] > 0
    assert (row["verdict"], row["reason"]) == (Verdict.not_comparable, Reason.diverges)
    assert (row["failed"], row["runs"], row["failed_reference"], row["runs_reference"]) == (3, 6, 0, 6)
    best = find_best(runs)
    assert best is not None
    assert best.label == "num_layers=2"


def test_a_level_that_never_trains_is_worse(tmp_path: Path) -> None:
    states = dict.fromkeys(range(0, 10, 2), "failed")
    write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, states=states, files=False)
    (row,) = rows_of(effects(load_runs(tmp_path / "s").frame))
    assert (row["verdict"], row["reason"]) == (Verdict.worse, Reason.all_diverged)
    assert math.isnan(row["difference"])


def test_a_killed_run_is_missing_and_no_failure_of_its_level(tmp_path: Path) -> None:
    states = {0: "failed", 2: "interrupted", 3: "running"}
    written = write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, seeds=range(5), states=states, files=False)
    status = json.loads((written[0] / "status.json").read_text())
    (written[0] / "status.json").write_text(json.dumps({**status, "error": "killed by SIGKILL"}))
    runs = load_runs(tmp_path / "s").frame
    (row,) = rows_of(effects(runs))
    assert (row["failed"], row["missing"], row["missing_reference"]) == (0, 2, 1)
    assert (row["seeds"], row["seeds_reference"]) == (3, 4)
    assert list(summarize(runs, ["model.num_layers"])["failed"]) == [0, 0]


def test_a_cell_that_was_not_run_hides_nothing(tmp_path: Path) -> None:
    settings = [
        {"model.num_layers": layers, "model.hidden_size": size}
        for layers in (1, 2) for size in (32, 64, 128) if (layers, size) != (2, 128)
    ]  # fmt: skip
    write_sweep(
        tmp_path / "s", settings=settings, files=False,
        accuracy=lambda o: 0.95 + 0.02 * (o["model.num_layers"] == 2) + 0.01 * (o["model.hidden_size"] == 128),
    )  # fmt: skip
    (layers,) = rows_of(effects(load_runs(tmp_path / "s").frame, ["model.num_layers"]))
    assert layers["verdict"] is Verdict.worse
    assert layers["low"] < -0.02 < layers["high"]
    assert (layers["contexts"], layers["contexts_planned"]) == (2, 3)


def test_a_key_that_one_cell_does_not_have_is_at_its_default_there(tmp_path: Path) -> None:
    settings: list[dict[str, Any]] = [
        {"model": "lstm", "model.proj_size": 0}, {"model": "lstm", "model.proj_size": 16}, {"model": "gru"}
    ]  # fmt: skip
    write_sweep(
        tmp_path / "s", settings=settings, files=False,
        accuracy=lambda o: 0.97 + 0.01 * (o["model"] == "gru") - 0.02 * (o.get("model.proj_size") == 16),
    )  # fmt: skip
    cell, projection = rows_of(effects(load_runs(tmp_path / "s").frame))
    assert (cell["level"], cell["reference"], cell["verdict"]) == ("gru", "lstm", Verdict.better)
    assert cell["low"] < 0.01 < cell["high"]
    assert (projection["level"], projection["reference"], projection["verdict"]) == (16, 0, Verdict.worse)


def test_what_changes_along_forbids_a_verdict(tmp_path: Path) -> None:
    zipped: list[dict[str, Any]] = [{"model.num_layers": layers, "model.dropout": layers / 10} for layers in (2, 3, 4)]
    write_sweep(tmp_path / "z", settings=zipped, files=False, accuracy=lambda o: 0.9 + 0.02 * o["model.num_layers"])
    for row in rows_of(effects(load_runs(tmp_path / "z").frame)):
        assert (row["verdict"], row["reason"]) == (Verdict.not_comparable, Reason.confounded)
        assert row["confounded"] == ("model.dropout",)
        assert row["difference"] > 0
    longer = [{"model.num_layers": layers, "training.epochs": 10 if layers == 3 else 2} for layers in (1, 2, 3)]
    write_sweep(tmp_path / "e", settings=longer, files=False, accuracy=lambda o: 0.9 + 0.01 * o["training.epochs"])
    one, three, epochs = rows_of(effects(load_runs(tmp_path / "e").frame))
    assert one["reason"] is None
    assert (three["reason"], three["confounded"]) == (Reason.confounded, ("training.epochs",))
    assert (epochs["reason"], epochs["confounded"]) == (Reason.confounded, ("model.num_layers",))


def test_what_belongs_to_an_option_is_no_confounder(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {"optimizer": ["adam", "sgd"]}, files=False)
    (row,) = rows_of(effects(load_runs(tmp_path / "s").frame))
    assert row["confounded"] == ()
    given = [{"optimizer": "adam", "optimizer.lr": 0.01}, {"optimizer": "sgd", "optimizer.lr": 0.1}]
    write_sweep(tmp_path / "g", settings=given, files=False)
    rows = rows_of(effects(load_runs(tmp_path / "g").frame))
    assert all(row["reason"] is Reason.confounded for row in rows)


def test_other_code_is_said(tmp_path: Path) -> None:
    written = write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, files=False)
    manifest = json.loads((written[0] / "manifest.json").read_text())
    manifest |= {"threads": 2, "code": {**manifest["code"], "source_sha256": "1" * 64}}
    (written[0] / "manifest.json").write_text(json.dumps(manifest))
    (row,) = rows_of(effects(load_runs(tmp_path / "s").frame))
    assert row["differs"] == ("code", "threads")


def test_a_misleading_main_effect_is_split_by_what_it_depends_on(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {
        "model.bidirectional": [False, True], "model.readout": ["last_step", "mean"], "optimizer.lr": [0.003, 0.01]
    }  # fmt: skip
    write_sweep(
        tmp_path / "s", grid, seeds=range(6), noise=0.001, files=False,
        accuracy=lambda o: 0.97 + 0.006 * (o["model.bidirectional"] == (o["model.readout"] == "mean")),
    )  # fmt: skip
    runs = load_runs(tmp_path / "s").frame
    table = effects(runs, ["model.bidirectional"])
    main, at_last, at_mean = rows_of(table)
    assert main["depends_on"] == "model.readout"
    assert (at_last["at"], at_last["verdict"]) == ((("model.readout", "last_step"),), Verdict.worse)
    assert (at_mean["at"], at_mean["verdict"]) == ((("model.readout", "mean"),), Verdict.better)
    found = interactions(runs)
    assert list(found.loc[found["resolved"], ["factor", "other"]].itertuples(index=False, name=None)) == [
        ("model.bidirectional", "model.readout")
    ]
    assert len(effects(runs, ["optimizer.lr"])) == 1
    by = effects(runs, ["optimizer.lr"], by="model.readout")
    assert list(by["at"]) == [(("model.readout", "last_step"),), (("model.readout", "mean"),)]
    with pytest.raises(FactorError, match="does not vary"):
        effects(runs, by="model.num_layers")


def test_draws_are_replicates_unless_they_are_asked_for(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"model.num_layers": [1, 2], "data.split_seed": [0, 1, 2, 3]}
    write_sweep(tmp_path / "s", grid, seeds=[0], accuracy=depth_accuracy, files=False)
    runs = load_runs(tmp_path / "s").frame
    (row,) = rows_of(effects(runs))
    assert (row["factor"], row["seeds"], row["verdict"]) == ("model.num_layers", 4, Verdict.worse)
    assert len(effects(runs, ["data.split_seed"])) == 3
    write_sweep(tmp_path / "c", grid, seeds=range(4), accuracy=depth_accuracy, files=False)
    (crossed,) = rows_of(effects(load_runs(tmp_path / "c").frame))
    assert (crossed["seeds"], crossed["contexts"]) == (4, 4)  # a split that all seeds share is a context


def test_ties_of_one_image_prove_nothing(tmp_path: Path) -> None:
    write_sweep(
        tmp_path / "s", {"optimizer.lr": [0.003, 0.01]}, seeds=range(3), noise=0.0, files=False,
        accuracy=lambda o: 0.97 + 0.0001 * (o["optimizer.lr"] == 0.003),
    )  # fmt: skip
    (row,) = rows_of(effects(load_runs(tmp_path / "s").frame))
    assert row["difference"] == pytest.approx(0.0001)
    assert row["p_value"] > 0.05
    assert row["verdict"] is Verdict.equivalent or row["verdict"] is Verdict.undecided


def test_growing_sweeps_get_intervals_for_any_time(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"model.num_layers": [1, 2]}
    sweep = tmp_path / "s"
    write_sweep(sweep, grid, seeds=range(5), accuracy=depth_accuracy, files=False)
    first = load_runs(sweep).records
    assert look_at(first) == look_at(first) == 1
    write_sweep(sweep, grid, seeds=range(5, 7), accuracy=depth_accuracy, files=False)
    grown = load_runs(sweep)
    assert look_at(grown.records) == look_at(grown.records) == 2
    plain, anytime = (rows_of(effects(grown.frame, anytime=looking))[0] for looking in (False, True))
    assert anytime["low"] < plain["low"] < plain["high"] < anytime["high"]
    assert anytime["method"] is Method.anytime
    # Other settings beside them are no further look; their seeds are.
    write_sweep(sweep, {"model.num_layers": [3]}, seeds=range(5), files=False)
    assert look_at(load_runs(sweep).records) == 2
    write_sweep(sweep, {"model.num_layers": [3]}, seeds=range(5, 7), files=False)
    assert look_at(load_runs(sweep).records) == 3


def test_batch_first_has_no_effect_and_makes_no_replicates(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"model.batch_first": [True, False], "model.num_layers": [1, 2]}
    written = write_sweep(tmp_path / "s", grid, seeds=range(4), no_op=["model.batch_first"])
    runs = load_runs(tmp_path / "s").frame
    assert no_op_factors(runs) == ["model.batch_first"]
    assert len(independent_runs(runs)[0]) == 8
    rows = {row["factor"]: row for row in rows_of(effects(runs))}
    order = rows["model.batch_first"]
    assert (order["verdict"], order["reason"]) == (Verdict.equivalent, Reason.identical)
    assert rows["model.num_layers"]["seeds"] == 4
    assert list(summarize(runs, ["model.num_layers"])["n"]) == [4, 4]
    assert summarize(runs, ["model.num_layers"]).attrs["pooled"] == []
    predictions = np.load(written[0] / "predictions.npy")
    predictions[[0, 1]] = predictions[[1, 0]]
    np.save(written[0] / "predictions.npy", predictions)
    assert no_op_factors(runs) == []  # the same accuracy is not the same predictions


def test_dropout_with_one_layer_is_inert(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"model.num_layers": [1, 2], "model.dropout": [0.0, 0.5]}
    write_sweep(tmp_path / "s", grid, seeds=range(4), files=False)
    runs = load_runs(tmp_path / "s").frame
    layers, dropout = rows_of(effects(runs))
    assert (layers["contexts"], layers["seeds"]) == (2, 4)  # the one layer stands for both values of dropout
    assert (dropout["contexts"], dropout["contexts_planned"]) == (1, 1)
    split = {row["at"]: row for row in rows_of(effects(runs, ["model.dropout"], by="model.num_layers"))}
    inert = split[(("model.num_layers", 1),)]
    assert (inert["verdict"], inert["reason"], inert["difference"]) == (Verdict.equivalent, Reason.inert, 0)
    assert math.isnan(inert["p_value"])
    assert "dropout acts between layers" in inert["detail"]
    assert split[(("model.num_layers", 2),)]["reason"] is None


def test_a_key_with_a_value_that_has_an_effect_is_not_inert(tmp_path: Path) -> None:
    write_sweep(
        tmp_path / "patience",
        {"training.early_stopping_patience": [1, 5], "training.epochs": [3, 100]},
        seeds=[0], files=False,
    )  # fmt: skip
    runs = load_runs(tmp_path / "patience").frame
    assert any(runs["changes"])  # 5 epochs of patience in 3 epochs
    assert not with_inert_cells(runs)["inert"].any()
    write_sweep(
        tmp_path / "momentum",
        {"schedule.cycle_momentum": [True, False], "optimizer.momentum": [0.0, 0.9]},
        base={"schedule": "one_cycle", "optimizer": "sgd"}, seeds=range(3), files=False,
    )  # fmt: skip
    cells = with_inert_cells(load_runs(tmp_path / "momentum").frame)
    copies = cells.loc[cells["inert"], ["schedule.cycle_momentum", "optimizer.momentum"]]
    assert copies.drop_duplicates().values.tolist() == [[True, 0.9]]


def test_what_decides_a_key_on_purpose_does_not_make_it_inert(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"model.parameter_budget": [None, 20_000], "model.hidden_size": [16, 32]}
    write_sweep(tmp_path / "s", grid, seeds=[0], files=False)
    assert not with_inert_cells(load_runs(tmp_path / "s").frame)["inert"].any()


def test_a_split_of_nothing_has_no_seed(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"data.validation_size": [0, 5000], "data.split_seed": [0, 1]}
    write_sweep(tmp_path / "s", grid, seeds=range(3), files=False)
    runs = load_runs(tmp_path / "s").frame
    rows = rows_of(effects(runs, ["data.split_seed"], by="data.validation_size"))
    details = {row["at"]: row["detail"] for row in rows}
    assert details == {(("data.validation_size", 0),): "nothing is split", (("data.validation_size", 5000),): ""}


def test_summary_csv(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {"model": ["lstm", "rnn"]}, seeds=range(3), states={0: "failed"})
    table = pd.read_csv(write_summary(load_runs(tmp_path / "s").frame, tmp_path / "s"))
    columns = ["n", "failed", "mean", "standard_deviation", "low", "high", "parameters", "train_seconds"]
    assert list(table.columns) == ["model.cell", *columns]
    assert list(table["model.cell"]) == ["rnn", "lstm"]
    assert list(table["failed"]) == [0, 1]
    assert np.isnan(table["low"][1])
    assert table["n"][1] == 2


def test_variance_shares_are_those_of_statsmodels() -> None:
    random = np.random.default_rng(0)
    cells = [random.normal(size=5) + a + 2 * (a == b) for a, b in product(range(3), range(2))]
    shares, within = variance_shares(cells, (3, 2))
    rows = [(a, b, y) for (a, b), cell in zip(product(range(3), range(2)), cells, strict=True) for y in cell]
    frame = pd.DataFrame(rows, columns=["a", "b", "y"])
    table = anova_lm(smf.ols("y ~ C(a) * C(b)", frame).fit())
    expected = table["sum_sq"] / table["sum_sq"].sum()
    assert [shares[0,], shares[1,], shares[0, 1], within] == pytest.approx(list(expected))
    chance = shares_by_chance(cells, np.arange(30).reshape(6, 5), (3, 2))
    assert chance[0,] == pytest.approx(2 * table.loc["Residual", "mean_sq"] / table["sum_sq"].sum())


def test_mcnemar_is_the_exact_binomial_test(tmp_path: Path) -> None:
    labels = load_test_images()[1]
    first, second = labels.copy(), labels.copy()
    first[:30] += 1
    second[20:80] += 1
    test = mcnemar(first, second, labels)
    assert (test.both_right, test.only_first, test.only_second, test.both_wrong) == (9920, 50, 20, 10)
    assert test.p_value == pytest.approx(stats.binomtest(20, 70).pvalue)
    assert test.p_value == statsmodels_mcnemar([[9920, 50], [20, 10]], exact=True).pvalue
    runs = write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, seeds=[0], accuracy=depth_accuracy)
    assert compare_two_runs(*runs).p_value < 0.001
    with pytest.raises(ResultsError, match="holds 2 runs"):
        compare_two_runs(tmp_path / "s", runs[0])
