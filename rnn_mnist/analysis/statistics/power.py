"""How large a difference so many seeds can show, and how many seeds would show a difference so large."""

import math
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache

import pandas as pd
from statsmodels.stats.power import TTestIndPower, TTestPower

ALPHA = 0.05
POWER = 0.8
MOST_SEEDS = 1_000_000


class Method(StrEnum):
    """How two settings are compared: run by run with Welch's t-test, or seed by seed with the paired one."""

    welch = "welch"
    paired = "paired"


def minimum_detectable_difference(
    n: int,
    n_reference: int,
    standard_deviation: float,
    method: Method = Method.welch,
    alpha: float = ALPHA,
    power: float = POWER,
) -> float:
    """The true difference that a two-sided t-test of this size finds with probability ``power``.

    Args:
        n: runs of the level; for ``paired``, pairs.
        n_reference: runs of the reference; not used for ``paired``.
        standard_deviation: of a single run about its setting's mean, both settings pooled; for ``paired``, of the
            differences. The result has its unit.
        method: Welch's test is taken to have the power of Student's, which holds where the variances are alike.
        alpha: level of the test, for this one comparison.
        power: probability of finding it.

    Returns:
        NaN where there are too few runs for a test.
    """
    if min(n, n_reference if method == Method.welch else n) < 2:
        return math.nan
    return _detectable_effect_size(n, n_reference, method, alpha, power) * standard_deviation


def required_seeds(
    difference: float,
    standard_deviation: float,
    method: Method = Method.welch,
    alpha: float = ALPHA,
    power: float = POWER,
) -> int:
    """The fewest seeds of each setting (for ``paired``: pairs) that show ``difference`` with probability ``power``.

    A million where more are needed.

    ``difference`` and ``standard_deviation`` (see :func:`minimum_detectable_difference`) have the same unit.

    Raises:
        ValueError: if the difference is not positive.
    """
    if not difference > 0:
        raise ValueError(f"difference={difference}: must be positive")
    if standard_deviation == 0:
        return 2
    few, many = 2, 2
    while minimum_detectable_difference(many, many, standard_deviation, method, alpha, power) > difference:
        few, many = many, many * 2
        if many > MOST_SEEDS:
            return MOST_SEEDS
    while few < many:
        middle = (few + many) // 2
        if minimum_detectable_difference(middle, middle, standard_deviation, method, alpha, power) > difference:
            few = middle + 1
        else:
            many = middle
    return many


def power_table(effects: pd.DataFrame, differences: Sequence[float]) -> pd.DataFrame:
    """How many seeds each comparison of an effects table would need, given the noise that it observed.

    Args:
        effects: as :func:`rnn_mnist.analysis.statistics.effects.effects` returns them.
        differences: those to be shown, in the metric's unit (0.001: a tenth of a percentage point of accuracy).

    Returns:
        ``factor``, ``level``, ``reference``, ``context``, ``method``, ``n``, ``standard_deviation``,
        ``minimum_detectable``, and a column for each difference, named by it, with the seeds of each setting.
        Comparisons of unknown noise, or of none, have no row. The noise is itself an estimate: from five seeds it may
        well be off by half.
    """
    kept = ["factor", "level", "reference", "context", "method", "n", "standard_deviation", "minimum_detectable"]
    table = effects[effects["standard_deviation"] > 0][kept].reset_index(drop=True)
    for difference in differences:
        table[difference] = [
            required_seeds(difference, spread, method)
            for spread, method in zip(table["standard_deviation"], table["method"], strict=True)
        ]
    return table


@lru_cache(maxsize=4096)
def _detectable_effect_size(n: int, n_reference: int, method: Method, alpha: float, power: float) -> float:
    """In standard deviations. Cached: a table asks for the same few sizes again and again."""
    if method == Method.paired:
        size = TTestPower().solve_power(effect_size=None, nobs=n, alpha=alpha, power=power)
    else:
        size = TTestIndPower().solve_power(effect_size=None, nobs1=n, ratio=n_reference / n, alpha=alpha, power=power)
    return float(abs(size if isinstance(size, float) else size.item()))
