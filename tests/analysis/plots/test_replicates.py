"""The values behind a point: one a seed, whatever has failed."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_mnist.analysis.plots.replicates import averaged_over, replicates
from rnn_mnist.analysis.reading.outcomes import outcomes
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.statistics.by_seed import pseudo_values
from rnn_mnist.runs.record import State
from tests.synthetic_sweep import write_sweep

LAYERS, LR, DROPOUT = "model.num_layers", "optimizer.lr", "model.dropout"


def test_with_no_run_missing_a_seeds_value_is_its_own_mean() -> None:
    cells = np.random.default_rng(0).normal(size=(4, 5))  # [context, seed]
    assert pseudo_values(cells).values == pytest.approx(cells.mean(axis=0))


def test_every_context_keeps_its_weight_where_runs_are_missing() -> None:
    cells = np.random.default_rng(0).normal(size=(4, 5)) + np.array([[0.0], [10.0], [20.0], [30.0]])
    cells[3, :2] = np.nan
    cells[0, 4] = np.nan
    values = pseudo_values(cells).values
    assert values.mean() == pytest.approx(np.nanmean(cells, axis=1).mean())
    assert np.ptp(values) < 5  # a seed without the highest context is not ten lower


def test_the_spread_of_the_values_is_that_of_the_mean() -> None:
    """With runs missing at random, the variance of the seeds' values over n is that of the estimate."""
    draw = np.random.default_rng(1)
    estimates, claimed = [], []
    for _ in range(2000):
        cells = draw.normal(size=(3, 8)) + draw.normal(size=(1, 8)) + np.array([[0.0], [3.0], [6.0]])
        cells[draw.random(cells.shape) < 0.15] = np.nan
        if np.isnan(cells).all(axis=1).any() or np.isnan(cells).all(axis=0).any():
            continue
        values = pseudo_values(cells).values
        estimates.append(values.mean())
        claimed.append(values.var(ddof=1) / len(values))
    assert np.mean(claimed) == pytest.approx(np.var(estimates), rel=0.1)


def test_five_failures_in_sixty_runs_leave_every_seed(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {LR: [0.001, 0.003, 0.01], LAYERS: [1, 2, 3, 4]}  # 12 settings x 5 seeds
    failed = {0: "failed", 13: "failed", 26: "failed", 39: "failed", 52: "failed"}  # one in each seed
    write_sweep(tmp_path, grid, seeds=range(5), states=failed, files=False, accuracy=lambda s: 0.9 + 0.02 * s[LAYERS])
    runs = load_runs(tmp_path).frame
    averaged = averaged_over(runs, [LR], [LAYERS], "test_accuracy")
    assert averaged.fair
    assert averaged.values.groupby(LR).size().tolist() == [5, 5, 5]
    for rate, values in averaged.values.groupby(LR)["test_accuracy"]:
        cells = runs[(runs[LR] == rate) & (runs["status"] == State.completed)].groupby(LAYERS)["test_accuracy"]
        assert values.mean() == pytest.approx(cells.mean().mean())
    counted = outcomes(averaged.runs)
    assert (counted.completed, counted.diverged, counted.missing) == (55, 5, 0)


def test_a_context_that_one_level_lacks_is_left_out_and_counted(tmp_path: Path) -> None:
    settings = [
        {LR: rate, LAYERS: layers} for rate in (0.001, 0.1) for layers in (1, 2, 3) if (rate, layers) != (0.1, 3)
    ]
    write_sweep(tmp_path, settings=settings, seeds=range(3), accuracy=lambda s: 0.9 + 0.02 * s[LAYERS], files=False)
    averaged = averaged_over(load_runs(tmp_path).frame, [LR], [LAYERS], "test_accuracy")
    assert (averaged.fair, averaged.contexts, averaged.contexts_there) == (True, 2, 3)
    assert averaged.values["test_accuracy"].to_numpy() == pytest.approx(0.93, abs=0.01)


def test_without_a_common_context_there_is_no_fair_mean(tmp_path: Path) -> None:
    settings = [{LR: 0.001, LAYERS: 1}, {LR: 0.01, LAYERS: 2}, {LR: 0.01, LAYERS: 3}]
    write_sweep(tmp_path, settings=settings, seeds=range(3), files=False)
    runs = load_runs(tmp_path).frame
    averaged = averaged_over(runs, [LR], [LAYERS], "test_accuracy")
    assert not averaged.fair
    assert len(averaged.values) == len(runs)


def test_other_draws_than_the_seed_are_replicates_too(tmp_path: Path) -> None:
    settings = [
        {"data.split_seed": split, LR: rate, LAYERS: n} for split in range(4) for rate in (0.1, 1) for n in (1, 2)
    ]
    write_sweep(tmp_path, settings=settings, seeds=[0], files=False)
    averaged = averaged_over(load_runs(tmp_path).frame, [LR], [LAYERS], "test_accuracy")
    assert averaged.values.groupby(LR).size().tolist() == [4, 4]


def test_draws_that_cross_the_seed_are_no_further_replicates(tmp_path: Path) -> None:
    settings = [
        {"data.split_seed": split, LR: rate, LAYERS: n} for split in (0, 1) for rate in (0.1, 1) for n in (1, 2)
    ]
    write_sweep(tmp_path, settings=settings, seeds=range(3), files=False)
    averaged = averaged_over(load_runs(tmp_path).frame, [LR], [LAYERS], "test_accuracy")
    assert averaged.values.groupby(LR).size().tolist() == [3, 3]


def test_only_divergence_is_a_failure_of_the_setting() -> None:
    runs = pd.DataFrame(
        {
            "status": [State.completed, State.failed, State.failed, State.interrupted, State.running],
            "diverged": [False, True, False, False, False],
            "test_accuracy": [0.9, np.nan, np.nan, np.nan, np.nan],
        }
    )
    point = replicates(runs, "test_accuracy")
    assert (point.n, point.failed, point.outcomes.ended, point.outcomes.missing) == (1, 1, 2, 3)
    assert point.outcomes.diverged_text == "1 of 2 diverge"
    assert outcomes(runs.drop(columns="diverged")).diverged == 2
