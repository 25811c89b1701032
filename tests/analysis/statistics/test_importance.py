"""Importances against decompositions that are known on paper; nuisance factors against optima that are."""

import math
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.anova import AnovaRM

from rnn_mnist.analysis.reading.factors import FactorError
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.reading.run_directories import ResultsError
from rnn_mnist.analysis.statistics.answer import find_best
from rnn_mnist.analysis.statistics.effects import effects
from rnn_mnist.analysis.statistics.importance import GRID_METHOD, TermKind, importance
from rnn_mnist.analysis.statistics.nuisance import choose_nuisance
from rnn_mnist.analysis.statistics.variance_shares import shares_by_chance, variance_shares
from tests.synthetic_sweep import write_sweep

GRID = {"model.num_layers": [1, 2], "model.hidden_size": [16, 32]}


def additive(overrides: dict[str, Any]) -> float:
    """Effects of +-0.01 and +-0.02 and an interaction of +-0.005: variances 1, 4 and 0.25 (in 1e-4)."""
    a, b = (1 if overrides[key] == GRID[key][1] else -1 for key in GRID)
    return 0.9 + 0.01 * a + 0.02 * b + 0.005 * a * b


def test_a_full_grid_matches_the_analytic_decomposition(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", GRID, seeds=range(40), accuracy=additive, noise=0.01, files=False)
    table = importance(load_runs(tmp_path / "s").frame)
    total = 1 + 4 + 0.25 + 1
    expected = {
        ("model.hidden_size",): 4 / total,
        ("model.num_layers",): 1 / total,
        ("model.num_layers", "model.hidden_size"): 0.25 / total,
        (): 1 / total,
    }
    assert dict(zip(table["term"], table["share"], strict=True)) == pytest.approx(expected, abs=0.03)
    assert set(table["kind"]) == {TermKind.factor, TermKind.interaction, TermKind.seeds}
    assert table["share"].sum() == pytest.approx(1)
    assert set(table["method"]) == {GRID_METHOD}
    assert table["ranges"][0] == "model.hidden_size=16,32"


def test_noise_alone_gets_the_share_that_chance_gives_it(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", GRID, seeds=range(3), noise=0.01, files=False)
    shares = []
    runs = load_runs(tmp_path / "s").frame
    for seed in range(200):
        drawn = runs.assign(test_accuracy=np.random.default_rng(seed).normal(size=len(runs)))
        table = importance(drawn)
        shares.append(
            table.loc[[term == ("model.num_layers",) for term in table["term"]], ["share", "by_chance"]].iloc[0]
        )
    means = np.mean(shares, axis=0)
    # One of eleven degrees of freedom.
    assert means[0] == pytest.approx(1 / 11, abs=0.03)
    assert means[1] == pytest.approx(1 / 11, abs=0.02)


def test_higher_interactions_are_one_row(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", {**GRID, "optimizer.lr": [0.1, 0.2]}, seeds=range(2), files=False)
    table = importance(load_runs(tmp_path / "s").frame)
    assert list(table["kind"])[-2:] == [TermKind.higher, TermKind.seeds]
    assert len(table) == 3 + 3 + 1 + 1
    assert table["share"].sum() == pytest.approx(1)


def test_what_is_no_grid_is_divided_by_what_held_out_runs_lose(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    settings = [
        {"optimizer.lr": float(10 ** random.uniform(-4, -1)), "model.hidden_size": int(random.integers(8, 128))}
        for _ in range(80)
    ]

    def accuracy(overrides: dict[str, Any]) -> float:
        rate, size = math.log10(overrides["optimizer.lr"]), float(overrides["model.hidden_size"])
        return 0.9 - 0.02 * (rate + 2.5) ** 2 + 1e-5 * size

    write_sweep(tmp_path / "s", settings=settings, seeds=[0], accuracy=accuracy, noise=0.001, files=False)
    runs = load_runs(tmp_path / "s").frame
    table = importance(runs, seed=3)
    assert table["term"][0] == ("optimizer.lr",)
    assert table["share"][0] > 0.8
    assert table["error"][0] > 0
    assert list(table["kind"])[-1] is TermKind.rest
    assert table["share"].sum() == pytest.approx(1)
    assert "seed 3" in table["method"][0]
    assert "by its logarithm" in table["ranges"][0]
    assert "80 values" in table["ranges"][0]
    assert table.equals(importance(runs, seed=3))
    assert not table["share"].equals(importance(runs, seed=4)["share"])


def test_a_grid_that_lacks_a_setting_has_shares_too(tmp_path: Path) -> None:
    levels = {"model.num_layers": [1, 2, 3], "model.hidden_size": [16, 32, 64]}
    settings = [dict(zip(levels, values, strict=True)) for values in product(*levels.values())][:-1]
    write_sweep(
        tmp_path / "s", settings=settings, seeds=range(3), files=False,
        accuracy=lambda setting: 0.9 + 0.01 * setting["model.num_layers"],
    )  # fmt: skip
    table = importance(load_runs(tmp_path / "s").frame)
    assert table["term"][0] == ("model.num_layers",)
    assert table["share"][0] > 0.8
    assert "8 of the grid's 9 settings" in " ".join(table.attrs["notes"])


def test_chance_knows_that_the_settings_of_a_seed_are_correlated() -> None:
    """A null factor on a 2 x 2 grid: its share is what chance gives it, whichever way the noise is shared.

    Shared by all settings of a seed it cancels; shared by those of one level (their shapes are equal) it adds up.
    """
    random = np.random.default_rng(0)
    seeds = [np.arange(5)] * 4
    shared, own = math.sqrt(0.65), math.sqrt(0.35)
    for of_level in (False, True):
        pairs = []
        for _ in range(2000):
            common = random.normal(size=(2, 5)) if of_level else np.repeat(random.normal(size=(1, 5)), 2, axis=0)
            cells = [shared * common[first] + own * random.normal(size=5) for first, _ in product(range(2), range(2))]
            shares, _ = variance_shares(cells, (2, 2))
            pairs.append((shares[0,], shares_by_chance(cells, seeds, (2, 2))[0,]))
        share, chance = np.mean(pairs, axis=0)
        assert chance == pytest.approx(share, rel=0.08), of_level


def test_chance_is_the_error_term_of_repeated_measures() -> None:
    random = np.random.default_rng(0)
    cells = [random.normal(size=6) + place for place in range(6)]
    chance = shares_by_chance(cells, [np.arange(6)] * 6, (3, 2))
    rows = [(a, b, seed, y) for (a, b), cell in zip(product(range(3), range(2)), cells, strict=True)
            for seed, y in enumerate(cell)]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["a", "b", "seed", "y"])
    table = AnovaRM(frame, "y", "seed", within=["a", "b"]).fit().anova_table
    shares, _ = variance_shares(cells, (3, 2))
    # F is the mean square of the term over that of its interaction with the seeds.
    assert [shares[0,] / chance[0,], shares[1,] / chance[1,], shares[0, 1] / chance[0, 1]] == pytest.approx(
        list(table["F Value"])
    )


def test_inert_and_no_op_factors_have_no_share(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {
        "model.num_layers": [1, 2],
        "model.dropout": [0.0, 0.5],
        "model.batch_first": [True, False],
    }
    write_sweep(tmp_path / "s", grid, seeds=range(3), no_op=["model.batch_first"])
    table = importance(load_runs(tmp_path / "s").frame)
    assert list(table["term"]) == [("model.dropout",), ()]
    notes = " ".join(table.attrs["notes"])
    assert "model.batch_first: no effect" in notes
    assert "those runs are left out" in notes
    write_sweep(tmp_path / "t", {"model.num_layers": [1]}, seeds=range(3))
    with pytest.raises(FactorError, match="no factor varies"):
        importance(load_runs(tmp_path / "t").frame)


def peaked(overrides: dict[str, Any]) -> float:
    """Two layers do better, each depth at its own rate."""
    layers, rate = int(overrides["model.num_layers"]), float(overrides["optimizer.lr"])
    return 0.95 + 0.01 * layers - 0.01 * abs(math.log10(rate / {1: 0.01, 2: 0.001}[layers]))


def test_nuisance_levels_are_chosen_on_validation_and_edges_are_told(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"model.num_layers": [1, 2], "optimizer.lr": [0.001, 0.01, 0.1]}
    write_sweep(tmp_path / "s", grid, seeds=range(6), accuracy=peaked, noise=0.0005, files=False)
    choice = choose_nuisance(load_runs(tmp_path / "s").frame, ["optimizer.lr"])
    assert list(choice.chosen["optimizer.lr"]) == [0.01, 0.001]
    assert len(choice.runs) == 6
    assert choice.warnings == ("optimizer.lr=0.001 is best for model.num_layers=2 and lies at the edge of its range",)


def test_what_was_tuned_keeps_nothing_apart(tmp_path: Path) -> None:
    """Depths 1 and 3 share their best rate and depth 2 has another, the other way round with bias."""

    def accuracy(overrides: dict[str, Any]) -> float:
        best = 0.01 if (overrides["model.num_layers"] == 2) == overrides["model.bias"] else 0.001
        return 0.95 if overrides["optimizer.lr"] == best else 0.93

    grid: dict[str, list[Any]] = {"model.num_layers": [1, 2, 3], "model.bias": [False, True]}
    grid["optimizer.lr"] = [0.001, 0.01]
    write_sweep(tmp_path / "s", grid, seeds=range(6), accuracy=accuracy, noise=0.0005, files=False)
    runs = load_runs(tmp_path / "s").frame
    choice = choose_nuisance(runs, ["optimizer.lr"])
    assert (choice.choosing, choice.testing, choice.fresh) == ((0, 1, 2), (3, 4, 5), False)
    assert len(choice.runs) == 18
    compared = effects(choice.runs)
    assert list(compared["level"]) == [1, 3, False]
    assert set(compared["seeds"]) == {3}
    assert set(compared["contexts"]) == {2, 3}


def test_fresh_seeds_confirm_what_was_chosen(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"model.num_layers": [1, 2], "optimizer.lr": [0.001, 0.01, 0.1]}
    write_sweep(tmp_path / "s", grid, seeds=range(3), accuracy=peaked, noise=0.0005, files=False)
    best = [{"model.num_layers": 1, "optimizer.lr": 0.01}, {"model.num_layers": 2, "optimizer.lr": 0.001}]
    write_sweep(tmp_path / "s", settings=best, seeds=range(3, 7), accuracy=peaked, noise=0.0005, files=False)
    choice = choose_nuisance(load_runs(tmp_path / "s").frame, ["optimizer.lr"])
    assert (choice.choosing, choice.testing, choice.fresh) == ((0, 1, 2), (3, 4, 5, 6), True)
    assert len(choice.runs) == 8


def test_one_finished_run_does_not_compete_with_five(tmp_path: Path) -> None:
    rates: list[dict[str, Any]] = [{"optimizer.lr": rate} for rate in (0.003, 0.01)]
    write_sweep(tmp_path / "s", settings=rates, seeds=range(5), noise=0.0005, files=False)
    lucky = [{"optimizer.lr": 0.1}]
    write_sweep(tmp_path / "s", settings=lucky, seeds=[0], accuracy=lambda _: 0.99, noise=0.0, files=False)
    runs = load_runs(tmp_path / "s").frame
    chosen = choose_nuisance(runs, ["optimizer.lr"]).chosen
    assert chosen["optimizer.lr"][0] != 0.1
    best = find_best(runs)
    assert best is not None
    assert "0.1" not in best.label.replace("0.01", "")


def test_a_level_that_diverges_is_not_chosen(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"model.num_layers": [1, 2], "optimizer.lr": [0.001, 0.01, 0.1]}
    states = {list(product(*grid.values())).index((1, 0.01)): "failed"}
    write_sweep(tmp_path / "s", grid, seeds=range(3), accuracy=peaked, noise=0.0001, states=states, files=False)
    chosen = choose_nuisance(load_runs(tmp_path / "s").frame, ["optimizer.lr"]).chosen
    assert chosen["optimizer.lr"][0] != 0.01


def test_nuisance_needs_validation_and_a_factor(tmp_path: Path) -> None:
    write_sweep(tmp_path / "s", GRID, seeds=[0], files=False)
    runs = load_runs(tmp_path / "s").frame
    with pytest.raises(FactorError, match="does not vary"):
        choose_nuisance(runs, ["optimizer.lr"])
    with pytest.raises(ResultsError, match="val_accuracy"):
        choose_nuisance(runs.assign(val_accuracy=np.nan), ["model.num_layers"])
