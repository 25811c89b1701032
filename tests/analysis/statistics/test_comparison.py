"""Known effects are found, intervals cover, and every figure is that of scipy or statsmodels."""

import math
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower, TTestPower

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.factors import FactorError
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.reading.run_directories import ResultsError
from rnn_mnist.analysis.statistics.comparison import compare, wilson_interval
from rnn_mnist.analysis.statistics.effects import effects, holm, shares_noise
from rnn_mnist.analysis.statistics.inert import independent_runs, no_op_factors, with_inert_cells
from rnn_mnist.analysis.statistics.mcnemar import compare_two_runs, mcnemar
from rnn_mnist.analysis.statistics.power import Method, minimum_detectable_difference, power_table, required_seeds
from rnn_mnist.analysis.statistics.summary import interval, summarize, write_summary
from rnn_mnist.analysis.statistics.variance_shares import shares_by_chance, variance_shares
from rnn_mnist.analysis.statistics.verdict import Verdict, verdict_text
from rnn_mnist.catalogues.metrics import METRICS
from rnn_mnist.data.files import load_test_images
from tests.synthetic_sweep import write_sweep

SIMULATIONS = 1000
# Four standard errors of a proportion of 0.95 in that many simulations.
COVERAGE_TOLERANCE = 4 * math.sqrt(0.95 * 0.05 / SIMULATIONS)

values = st.lists(st.integers(9000, 10_000).map(lambda hits: hits / 10_000), min_size=3, max_size=8).map(np.array)


def depth_accuracy(overrides: dict[str, Any]) -> float:
    return {1: 0.960, 2: 0.975, 3: 0.975}[int(overrides["model.num_layers"])]


@pytest.mark.parametrize("n", [3, 5, 10])
def test_intervals_of_means_cover_at_their_nominal_rate(n: int) -> None:
    draws = np.random.default_rng(n).normal(0.97, 0.003, size=(SIMULATIONS, n))
    covered = [low <= 0.97 <= high for low, high in map(interval, draws)]
    assert np.mean(covered) == pytest.approx(0.95, abs=COVERAGE_TOLERANCE)


@pytest.mark.parametrize("n", [3, 5])
def test_intervals_of_differences_cover_at_their_nominal_rate(n: int) -> None:
    random = np.random.default_rng(n)
    level = random.normal(0.975, 0.004, size=(SIMULATIONS, n))
    reference = random.normal(0.970, 0.002, size=(SIMULATIONS, n))
    outcomes = [compare(one, other) for one, other in zip(level, reference, strict=True)]
    covered = np.mean([outcome.low <= 0.005 <= outcome.high for outcome in outcomes])
    # Welch's approximation errs on the safe side with so few runs.
    assert 0.95 - COVERAGE_TOLERANCE <= covered <= 0.975


def test_paired_intervals_cover_and_are_narrower_where_noise_is_shared() -> None:
    random = np.random.default_rng(0)
    shared = random.normal(0, 0.004, size=(SIMULATIONS, 5))
    level, reference = (mean + shared + random.normal(0, 0.001, size=shared.shape) for mean in (0.975, 0.970))
    paired = [compare(one, other, Method.paired) for one, other in zip(level, reference, strict=True)]
    covered = np.mean([outcome.low <= 0.005 <= outcome.high for outcome in paired])
    assert covered == pytest.approx(0.95, abs=COVERAGE_TOLERANCE)
    welch = [compare(one, other) for one, other in zip(level[:100], reference, strict=False)]
    assert np.mean([one.high - one.low for one in paired]) < 0.5 * np.mean([one.high - one.low for one in welch])
    assert np.mean([outcome.correlation for outcome in paired]) > 0.8


def test_the_minimum_detectable_difference_is_detected_four_times_in_five() -> None:
    random = np.random.default_rng(0)
    size = minimum_detectable_difference(5, 5, 0.003)
    level, reference = (random.normal(mean, 0.003, size=(SIMULATIONS, 5)) for mean in (0.97 + size, 0.97))
    found = np.mean(stats.ttest_ind(level, reference, axis=1).pvalue < 0.05)
    assert found == pytest.approx(0.8, abs=4 * math.sqrt(0.8 * 0.2 / SIMULATIONS))


@given(values, values)
@settings(max_examples=50, deadline=None)
def test_welch_is_scipys(level: np.ndarray, reference: np.ndarray) -> None:
    outcome = compare(level, reference)
    assert outcome.difference == pytest.approx(level.mean() - reference.mean())
    if np.ptp(level) == np.ptp(reference) == 0:
        assert math.isnan(outcome.p_value) or outcome.p_value == 0
        return
    expected = stats.ttest_ind(level, reference, equal_var=False)
    assert outcome.p_value == expected.pvalue
    assert (outcome.low, outcome.high) == tuple(expected.confidence_interval(0.95))
    wins = np.mean([(a > b) + (a == b) / 2 for a, b in product(level, reference)])
    assert outcome.probability_of_improvement == pytest.approx(wins)


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_paired_is_scipys(data: st.DataObject) -> None:
    level = data.draw(values)
    count = len(level)
    reference = np.array(data.draw(st.lists(st.sampled_from([0.95, 0.96, 0.97]), min_size=count, max_size=count)))
    outcome = compare(level, reference, Method.paired)
    if np.ptp(level - reference) == 0:
        return
    expected = stats.ttest_rel(level, reference)
    assert outcome.p_value == expected.pvalue
    assert outcome.minimum_detectable == pytest.approx(
        TTestPower().solve_power(nobs=len(level), alpha=0.05, power=0.8) * np.std(level - reference, ddof=1), rel=1e-6
    )


@given(st.lists(st.sampled_from([0.0, 1e-9, 0.004, 0.01, 0.03, 0.5, 1.0, math.nan]), max_size=10).map(np.array))
@settings(max_examples=5, deadline=None)  # statsmodels collects garbage at every call: 0.2 s with torch loaded
def test_holm_is_statsmodels_over_what_was_tested(p_values: np.ndarray) -> None:
    corrected = holm(p_values)
    tested = ~np.isnan(p_values.astype(float))
    assert np.isnan(corrected[~tested]).all()
    if tested.any():
        assert (corrected[tested] == multipletests(p_values[tested], method="holm")[1]).all()


def test_fewer_than_three_runs_claim_nothing() -> None:
    assert all(math.isnan(end) for end in interval(np.array([0.97, 0.98])))
    outcome = compare(np.array([0.97, 0.98]), np.array([0.90, 0.91, 0.92]))
    assert math.isnan(outcome.p_value)
    assert math.isnan(outcome.low)
    assert outcome.difference == pytest.approx(0.065)
    assert math.isnan(compare(np.array([]), np.array([0.9])).difference)


def test_power_and_required_seeds_agree_with_statsmodels() -> None:
    for difference in (0.5, 1.0, 2.0):
        expected = math.ceil(TTestIndPower().solve_power(effect_size=difference, alpha=0.05, power=0.8))
        assert required_seeds(difference, 1.0) == expected
        assert minimum_detectable_difference(expected, expected, 1.0) <= difference
        assert minimum_detectable_difference(expected - 1, expected - 1, 1.0) > difference
    assert math.isnan(minimum_detectable_difference(1, 5, 1.0))
    with pytest.raises(ValueError, match="must be positive"):
        required_seeds(0, 1.0)


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
    table = effects(runs)
    assert list(table["verdict"]) == [Verdict.higher, Verdict.higher]
    assert set(table["method"]) == {Method.welch}
    assert ((table["low"] < 0.015) & (table["high"] > 0.015)).all()
    lower, not_resolved = rows_of(effects(runs, references={"model.num_layers": 2}))
    assert (lower["level"], lower["verdict"]) == (1, Verdict.lower)
    assert (not_resolved["level"], not_resolved["verdict"]) == (3, Verdict.not_resolved)
    unseen = METRICS["test_accuracy"].size_text(not_resolved["minimum_detectable"])
    assert unseen.startswith("0.2")
    assert unseen.endswith(" points")
    in_words = verdict_text(not_resolved, METRICS["test_accuracy"])
    assert unseen in in_words
    assert "10 seeds" in in_words
    power = power_table(table, [0.001, 0.01])
    assert (power[0.001] > 30).all()
    assert (power[0.01] < 5).all()
    with pytest.raises(FactorError, match=r"model\.num_layers=7: no completed run has it; there are 1, 2, 3"):
        effects(runs, references={"model.num_layers": 7})


def test_pairing_is_decided_by_the_factor(tmp_path: Path) -> None:
    assert shares_noise("optimizer.lr")
    assert shares_noise("model.readout")
    assert not shares_noise("model.hidden_size")
    assert not shares_noise("data.train_fraction")
    grid: dict[str, list[Any]] = {"optimizer.lr": [0.001, 0.01], "model.num_layers": [1, 2]}
    write_sweep(tmp_path / "s", grid, seeds=range(6), shared_noise=0.01, noise=0.0005, files=False)
    runs = load_runs(tmp_path / "s").frame
    table = effects(runs).set_index("factor")
    assert set(table.loc[["optimizer.lr"], "method"]) == {Method.paired}
    assert (table.loc[["optimizer.lr"], "correlation"] > 0.9).all()
    assert set(table.loc[["model.num_layers"], "method"]) == {Method.welch}
    with pytest.raises(FactorError, match="shares neither shapes nor data order"):
        effects(runs, ["model.num_layers"], method=Method.paired)
    pooled = effects(runs, ["model.num_layers"], pool=True)
    assert list(pooled["n"]) == [12]
    assert list(pooled["context"]) == [()]


def test_two_seeds_never_claim_no_effect(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, seeds=range(2), accuracy=depth_accuracy_of_two)
    (row,) = rows_of(effects(load_runs(tmp_path / "s").frame))
    assert row["verdict"] is Verdict.too_few
    assert "2" in verdict_text(row, METRICS["test_accuracy"])


def depth_accuracy_of_two(overrides: dict[str, Any]) -> float:
    return 0.9 + 0.05 * int(overrides["model.num_layers"] == 2)


def test_failed_runs_are_counted_and_in_no_mean(tmp_path: Path) -> None:
    states = {0: "failed", 2: "failed", 3: "running"}
    write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, seeds=range(5), states=states, files=False)
    runs = load_runs(tmp_path / "s").frame
    (row,) = rows_of(effects(runs))
    assert (row["n"], row["n_reference"], row["failed"], row["failed_reference"]) == (4, 3, 0, 2)
    assert list(summarize(runs, ["model.num_layers"])["failed"]) == [2, 0]


def test_a_level_without_a_completed_run(tmp_path: Path) -> None:
    states = {1: "failed", 3: "failed", 5: "failed"}
    write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, seeds=range(3), states=states, files=False)
    (row,) = rows_of(effects(load_runs(tmp_path / "s").frame))
    assert row["verdict"] is Verdict.too_few
    assert row["failed"] == 3
    assert math.isnan(row["difference"])


def test_batch_first_has_no_effect_and_makes_no_replicates(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"model.batch_first": [True, False], "model.num_layers": [1, 2]}
    written = write_sweep(tmp_path / "s", grid, seeds=range(4), no_op=["model.batch_first"])
    runs = load_runs(tmp_path / "s").frame
    assert no_op_factors(runs) == ["model.batch_first"]
    assert len(independent_runs(runs)[0]) == 8
    table = effects(runs).set_index("factor")
    assert set(table.loc[["model.batch_first"], "verdict"]) == {Verdict.identical}
    assert table.loc["model.num_layers", "n"] == 4
    assert list(summarize(runs, ["model.num_layers"])["n"]) == [4, 4]
    assert summarize(runs, ["model.num_layers"]).attrs["pooled"] == []
    predictions = np.load(written[0] / "predictions.npy")
    predictions[[0, 1]] = predictions[[1, 0]]
    np.save(written[0] / "predictions.npy", predictions)
    assert no_op_factors(runs) == []  # the same accuracy is not the same predictions


def test_dropout_with_one_layer_is_inert(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"model.num_layers": [1, 2], "model.dropout": [0.0, 0.5]}
    write_sweep(tmp_path / "s", grid, seeds=range(4), files=False)
    table = effects(load_runs(tmp_path / "s").frame)
    rows = {(row["factor"], row["context"]): row for row in rows_of(table)}
    inert = rows["model.dropout", (("model.num_layers", 1),)]
    assert inert["verdict"] is Verdict.inert
    assert math.isnan(inert["p_value"])
    assert "dropout acts between layers" in verdict_text(inert, METRICS["test_accuracy"])
    # Two layers with dropout are compared with the one layer that dropout cannot change.
    assert rows["model.num_layers", (("model.dropout", 0.5),)]["n_reference"] == 4
    assert table.attrs["family"] == 3


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
    table = effects(load_runs(tmp_path / "s").frame, ["data.split_seed"])
    reasons = {row["context"]: row["reason"] for row in rows_of(table)}
    assert reasons == {(("data.validation_size", 0),): "nothing is split", (("data.validation_size", 5000),): ""}


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
