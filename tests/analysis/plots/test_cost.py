"""Which settings are worth their cost, as far as their runs can tell."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_mnist.analysis.plots import cost
from rnn_mnist.analysis.plots.cost_front import find_front
from rnn_mnist.analysis.plots.cost_info import cost_info
from rnn_mnist.analysis.reading.factors import find_factors
from rnn_mnist.analysis.reading.results import load_runs
from tests.synthetic_sweep import write_sweep

LAYERS, LR = "model.num_layers", "optimizer.lr"


def about(mean: float, spread: float = 0.1, n: int = 5) -> np.ndarray:
    return mean + spread * np.linspace(-1, 1, n)


def test_a_front_needs_more_than_a_higher_mean() -> None:
    front = find_front(np.array([1.0, 2.0, 3.0, 4.0]), [about(5), about(5.01), about(7), about(3)], [True] * 4)
    assert front.resolved == (0, 2)
    assert front.unresolved == (1,)  # and the dearest is worse than all that cost less


def test_who_is_not_eligible_is_on_no_front_and_keeps_none_off() -> None:
    front = find_front(np.array([1.0, 2.0]), [about(9), about(5)], [False, True])
    assert front.resolved == (1,)
    assert front.unresolved == ()


def test_equal_costs_have_to_be_resolved_from_one_another() -> None:
    alike = find_front(np.array([1.0, 1.03, 5.0]), [about(5), about(5.02), about(9)], [True] * 3)
    assert alike.resolved == (2,)
    assert set(alike.unresolved) == {0, 1}


@pytest.mark.parametrize("seeds", [1, 2])
def test_too_few_seeds_resolve_nothing(seeds: int) -> None:
    front = find_front(np.array([1.0, 2.0]), [about(5, n=seeds), about(9, n=seeds)], [True] * 2)
    assert front.resolved == ()
    assert len(front.unresolved) == 2


def test_equal_settings_are_rarely_called_better() -> None:
    """The dearest of eight equal settings beats all the others in at most 5 % of sweeps."""
    draw = np.random.default_rng(0)
    rounds = 1000
    beaten = front = 0
    for _ in range(rounds):
        found = find_front(np.arange(1.0, 9.0), list(draw.normal(size=(8, 5))), [True] * 8)
        front += 7 in found.resolved
        beaten += 7 not in (*found.resolved, *found.unresolved)
    assert front / rounds < 0.05 + 2 * np.sqrt(0.05 * 0.95 / rounds)
    assert beaten / rounds < 0.05 + 2 * np.sqrt(0.05 * 0.95 / rounds)


def test_a_setting_that_diverges_or_lacks_seeds_is_on_no_front(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {LR: [0.001, 0.01, 0.1]}
    states = {2: "failed", 5: "failed", 8: "failed", 1: "interrupted"}
    write_sweep(tmp_path, grid, seeds=range(6), accuracy=lambda s: 0.97 + 0.1 * s[LR], states=states, files=False)
    runs = load_runs(tmp_path).frame
    info = cost_info(runs, factors=find_factors(runs))
    assert [setting.eligible for setting in info.settings] == [True, False, False]
    assert {index for front in info.fronts for index in (*front.resolved, *front.unresolved)} == {0}
    assert "Not considered (hollow): 1 because runs diverge, 1 with fewer seeds than 6." in cost.KIND.describe(info)
    (legend,) = cost.KIND.draw(info).legends
    assert "0.1\n3 of 6 diverge" in [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize("metric", ["test_accuracy", "test_loss"])
def test_the_metrics_own_direction_counts(metric: str, tmp_path: Path) -> None:
    write_sweep(tmp_path, {LAYERS: [1, 2, 3]}, accuracy=lambda s: 0.9 + 0.02 * s[LAYERS], files=False)
    runs = load_runs(tmp_path).frame
    assert cost_info(runs, factors=[LAYERS], metric=metric).fronts[0].resolved == (0, 1, 2)
    write_sweep(tmp_path / "worse", {LAYERS: [1, 2, 3]}, accuracy=lambda s: 0.98 - 0.02 * s[LAYERS], files=False)
    runs = load_runs(tmp_path / "worse").frame
    front = cost_info(runs, factors=[LAYERS], metric=metric).fronts[0]
    assert (front.resolved, front.unresolved) == ((0,), ())
