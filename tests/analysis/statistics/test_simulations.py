"""How often the verdicts are wrong, on sweeps whose truth is known: the whole way from runs to verdict, seeded.

Each simulation draws the accuracies of one sweep anew many times. A false positive is a verdict of a difference where
there is none; 0.05 is allowed, and what chance adds to it in so many rounds. The figures are printed (``-s``), and
docs/statistics.md quotes them.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.statistics import anytime
from rnn_mnist.analysis.statistics.by_seed import Contrast, Sample
from rnn_mnist.analysis.statistics.effects import effects
from rnn_mnist.analysis.statistics.nuisance import choose_nuisance
from rnn_mnist.analysis.statistics.verdict import Verdict
from tests.synthetic_sweep import write_sweep

pytestmark = pytest.mark.slow

ROUNDS = 1000
NOISE = 0.003
# Three standard errors of a share of 0.05 in that many rounds.
ALLOWED = 0.05 + 3 * math.sqrt(0.05 * 0.95 / ROUNDS)
DEPTH = "model.num_layers"
RATE = "optimizer.lr"


def frame(directory: Path, grid: Mapping[str, Sequence[Any]], seeds: int) -> pd.DataFrame:
    """The runs of a sweep whose accuracies are then drawn anew."""
    write_sweep(directory / "s", grid, seeds=range(seeds), files=False)
    return load_runs(directory / "s").frame


def drawn(
    runs: pd.DataFrame,
    random: np.random.Generator,
    correlation: float,
    spread: Callable[[pd.DataFrame], Any],
    shared: str,
) -> np.ndarray:
    """Noise of the runs: those of one seed (and, if ``shared`` names a key, of one level of it) correlate."""
    groups = runs["seed"].astype(str) + ("" if not shared else runs[shared].astype(str))
    codes, names = pd.factorize(groups)
    common = random.normal(size=len(names))[codes]
    own = random.normal(size=len(runs))
    return np.asarray(NOISE * spread(runs) * (math.sqrt(correlation) * common + math.sqrt(1 - correlation) * own))


def rates(
    runs: pd.DataFrame,
    truth: Callable[[pd.DataFrame], Any],
    *,
    correlation: float,
    shared: str = "",
    spread: Callable[[pd.DataFrame], Any] = lambda _: 1.0,
    lost: float = 0.0,
    diverged: float = 0.0,
    rounds: int = ROUNDS,
    **asked: Any,
) -> dict[str, float]:
    """Shares of sweeps with a false difference and with all intervals covering, and of true differences found."""
    random = np.random.default_rng(1)
    expected = np.asarray(truth(runs), dtype=float)
    false = covered = found = total = 0
    for _ in range(rounds):
        accuracy = np.round(0.97 + expected + drawn(runs, random, correlation, spread, shared), 4)
        now = runs.assign(test_accuracy=accuracy)
        if lost or diverged:
            fate = random.random(len(runs))
            away = fate < lost + diverged
            state = np.where(away, "failed", "completed")
            now = now.assign(
                status=state, diverged=away & (fate >= lost), test_accuracy=np.where(away, np.nan, accuracy)
            )
        rows = rows_of(effects(now, **asked))
        mean = runs.assign(expected=expected)
        wrong, holds = False, True
        for row in rows:
            if math.isnan(row["low"]):
                continue
            levels = [mean.loc[mean[row["factor"]] == row[end], "expected"].mean() for end in ("level", "reference")]
            true = levels[0] - levels[1]
            holds &= bool(row["low"] - 1e-9 <= true <= row["high"] + 1e-9)
            if abs(true) < 1e-12:
                wrong |= row["verdict"].resolved
            else:
                total += 1
                found += row["verdict"].resolved
        false += wrong
        covered += holds
    return {"false": false / rounds, "covered": covered / rounds, "found": found / total if total else math.nan}


@pytest.mark.parametrize("correlation", [0.0, 0.65])
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("factor", [RATE, DEPTH])
def test_false_positives_of_a_factor_of_four_levels(
    tmp_path: Path, factor: str, seeds: int, correlation: float
) -> None:
    """Against the reference, as Dunnett's test; runs of a depth share noise, those of a rate with all others."""
    levels: list[Any] = [1, 2, 3, 4] if factor == DEPTH else [0.001, 0.003, 0.01, 0.03]
    other: dict[str, list[Any]] = {"model.readout": ["last_step", "mean"]}
    runs = frame(tmp_path, {factor: levels, **other}, seeds)
    shared = DEPTH if factor == DEPTH else ""
    found = rates(runs, lambda _: 0.0, correlation=correlation, shared=shared, factors=[factor])
    print(f"\n{factor} n={seeds} r={correlation}: {found}")
    assert found["false"] <= ALLOWED
    assert found["covered"] >= 1 - ALLOWED


@pytest.mark.parametrize("factor", [RATE, DEPTH])
def test_false_positives_of_all_pairs(tmp_path: Path, factor: str) -> None:
    """Tukey's question."""
    levels: list[Any] = [1, 2, 3, 4] if factor == DEPTH else [0.001, 0.003, 0.01, 0.03]
    runs = frame(tmp_path, {factor: levels}, 5)
    found = rates(runs, lambda _: 0.0, correlation=0.65, shared=DEPTH if factor == DEPTH else "", all_pairs=True)
    print(f"\nall pairs of {factor}: {found}")
    assert found["false"] <= ALLOWED


@pytest.mark.parametrize("factor", [RATE, DEPTH])
@pytest.mark.parametrize(
    "trouble",
    [
        {"spread": lambda runs: 1 + 2 * (runs["model.readout"] == "mean") + 2 * (runs[RATE] == 0.003)},
        {"lost": 0.1},
        {"diverged": 0.1},
    ],
    ids=["unequal noise", "lost runs", "diverged runs"],
)
def test_false_positives_in_trouble(tmp_path: Path, factor: str, trouble: dict[str, Any]) -> None:
    grid: dict[str, list[Any]] = {DEPTH: [1, 2], RATE: [0.003, 0.01], "model.readout": ["last_step", "mean"]}
    runs = frame(tmp_path, grid, 5)
    found = rates(runs, lambda _: 0.0, correlation=0.65, shared=DEPTH, factors=[factor], **trouble)
    print(f"\n{factor} {list(trouble)}: {found}")
    assert found["false"] <= ALLOWED
    assert found["covered"] >= 1 - ALLOWED


def test_more_factors_do_not_hide_an_effect(tmp_path: Path) -> None:
    """A second layer worth 0.2 points everywhere, at a noise of 0.3 between seeds, in grids of one to three factors."""
    others: dict[str, list[Any]] = {RATE: [0.003, 0.01], "model.readout": ["last_step", "mean"]}
    powers = []
    for count in range(3):
        grid = {DEPTH: [1, 2], **dict(list(others.items())[:count])}
        runs = frame(tmp_path / f"{count}", grid, 5)
        found = rates(runs, _second_layer, correlation=0.3, shared=DEPTH, rounds=400, factors=[DEPTH])
        powers.append(found["found"])
    print(f"\nfound with 1, 2, 3 factors: {powers}")
    assert powers[0] < powers[1] < powers[2]


def _second_layer(runs: pd.DataFrame) -> Any:
    return 0.002 * (runs[DEPTH] == 2)


def test_the_best_of_many_rates_is_no_better_than_one(tmp_path: Path) -> None:
    """Twenty rates against one: what chose is not what is tested."""
    rate = [round(0.001 * 1.2**place, 6) for place in range(20)]
    settings = [{DEPTH: 1, RATE: 0.01}, *({DEPTH: 2, RATE: value} for value in rate)]
    write_sweep(tmp_path / "s", settings=settings, seeds=range(10), files=False)
    runs = load_runs(tmp_path / "s").frame
    random = np.random.default_rng(0)
    rounds, wrong = 300, 0
    for _ in range(rounds):
        accuracy = 0.97 + random.normal(0, NOISE, len(runs))
        now = runs.assign(test_accuracy=accuracy, val_accuracy=accuracy + random.normal(0, 0.001, len(runs)))
        (row,) = rows_of(effects(choose_nuisance(now, [RATE]).runs, [DEPTH]))
        assert row["seeds"] == 5
        wrong += row["verdict"].resolved
    print(f"\nbest of 20 rates against 1: {wrong / rounds}")
    assert wrong / rounds <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / rounds)


def test_looking_after_every_seed() -> None:
    """With the plain interval and with the one for any time, to 64 seeds."""
    random = np.random.default_rng(0)
    draws = random.normal(size=(2 * ROUNDS, 64))
    count = np.arange(1, 65)
    means = draws.cumsum(axis=1) / count
    variances = ((draws**2).cumsum(axis=1) - count * means**2) / np.maximum(count - 1, 1)
    plain = anytime_false = 0
    critical = stats.t.isf(0.025, np.maximum(count - 1, 1))
    for row, mean, variance in zip(draws, means, variances, strict=True):
        t = mean[2:] / np.sqrt(variance[2:] / count[2:])
        plain += bool((np.abs(t) > critical[2:]).any())
        anytime_false += any(anytime.e_value(float(value), place) > 20 for place, value in enumerate(t, 3))
        assert Contrast(Sample(row[:10])).t == pytest.approx(t[7])
    print(f"\nlooking after every seed to 64: plain {plain / len(draws)}, anytime {anytime_false / len(draws)}")
    assert anytime_false / len(draws) <= 0.05
    assert plain / len(draws) > 0.2


def test_no_row_contradicts_itself(tmp_path: Path) -> None:
    """An interval excludes 0 exactly where the verdict says so."""
    grid: dict[str, list[Any]] = {DEPTH: [1, 2, 3], RATE: [0.001, 0.003, 0.01], "model.hidden_size": [32, 64, 128]}
    runs = frame(tmp_path, grid, 4)
    random = np.random.default_rng(0)
    for _ in range(200):
        now = runs.assign(test_accuracy=0.97 + 0.001 * (runs[DEPTH] == 2) + random.normal(0, NOISE, len(runs)))
        for row in rows_of(effects(now)):
            excludes = row["low"] > 0 or row["high"] < 0
            assert excludes == row["verdict"].resolved == (row["p_adjusted"] < 0.05)
            assert row["verdict"] is not Verdict.not_comparable
