"""How large a difference so many seeds can show, and how many seeds would show a difference so large.

Both at the level that the verdict is held to, which for one of several contrasts is not 0.05 (see
:func:`rnn_mnist.analysis.statistics.simultaneous.level_of_each`). From scipy's noncentral t: statsmodels' solver is
wrong at small levels (for n = 5 at 0.05/216 the difference that it gives is found with probability 0.52, not 0.8).
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache

import pandas as pd
from scipy import optimize, stats

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.statistics.anytime import critical

ALPHA = 0.05
POWER = 0.8
MOST_SEEDS = 1_000_000
SPREAD_CONFIDENCE = 0.8
"""Of the range that is given for the seeds needed: the noise is itself an estimate."""


class Method(StrEnum):
    """How two levels are compared, by seed."""

    paired = "paired"
    """The t-test of the differences within seeds, where a seed shares noise between the levels."""
    welch = "welch"
    """Welch's t-test of two samples of seeds."""
    anytime = "anytime"
    """The differences within seeds, with an interval that holds however often one looks."""


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
        n: seeds of the level; for ``paired``, pairs.
        n_reference: seeds of the reference; used for ``welch`` alone.
        standard_deviation: between the seeds of a level, both levels pooled; but for ``welch``, of the differences. The
            result has its unit.
        method: Welch's test is taken to have the power of Student's, which holds where the variances are alike; of an
            interval for any time it is the power at a single look.
        alpha: level of the test, for this one contrast.
        power: probability of finding it.

    Returns:
        NaN where there are too few seeds for a test; infinite where so few exclude nothing at any time.
    """
    two = method == Method.welch
    if min(n, n_reference if two else n) < 2 or math.isnan(standard_deviation):
        return math.nan
    degrees, share = (n + n_reference - 2, 1 / n + 1 / n_reference) if two else (n - 1, 1 / n)
    limit = critical(n, alpha) if method == Method.anytime else float(stats.t.isf(alpha / 2, degrees))
    return _detectable(degrees, limit, power) * math.sqrt(share) * standard_deviation


def required_seeds(
    difference: float,
    standard_deviation: float,
    method: Method = Method.welch,
    alpha: float = ALPHA,
    power: float = POWER,
) -> int:
    """The fewest seeds of each level (but for ``welch``: pairs) that show ``difference`` with probability ``power``.

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


def seeds_range(
    difference: float, standard_deviation: float, degrees: float, method: Method, alpha: float
) -> tuple[float, float]:
    """From how many to how many seeds of each level would show ``difference``, given how well the noise is known.

    ``degrees``: of freedom of the estimated standard deviation, whose interval (:data:`SPREAD_CONFIDENCE`, by chi
    squared) gives the range. NaN where nothing is known of it.
    """
    if not (difference > 0 and standard_deviation >= 0 and degrees >= 1):
        return math.nan, math.nan
    tail = (1 - SPREAD_CONFIDENCE) / 2
    ends = (math.sqrt(degrees / stats.chi2.isf(share, degrees)) for share in (tail, 1 - tail))
    low, high = (required_seeds(difference, standard_deviation * end, method, alpha) for end in ends)
    return float(low), float(high)


def power_table(effects: pd.DataFrame, differences: Sequence[float]) -> pd.DataFrame:
    """How many seeds each contrast of an effects table would need, given the noise that it observed.

    Args:
        effects: as :func:`rnn_mnist.analysis.statistics.effects.effects` returns them.
        differences: those to be shown, in the metric's unit (0.001: a tenth of a percentage point of accuracy).

    Returns:
        ``factor``, ``level``, ``reference``, ``at``, ``method``, ``seeds``, ``standard_deviation``,
        ``minimum_detectable``, and a column for each difference, named by it, with the seeds of each level as a range
        (a pair of numbers). Contrasts of unknown noise, or of none, have no row.
    """
    kept = ["factor", "level", "reference", "at", "method", "seeds", "standard_deviation", "minimum_detectable"]
    noisy = effects[effects["standard_deviation"] > 0].reset_index(drop=True)
    table = noisy[kept].copy()
    for difference in differences:
        table[difference] = pd.Series(
            [
                seeds_range(difference, row["standard_deviation"], row["seeds"] - 1, row["method"], row["alpha"])
                for row in rows_of(noisy)
            ],
            dtype=object,
        )
    return table


@lru_cache(maxsize=65536)
def _detectable(degrees: float, limit: float, power: float) -> float:
    """The noncentrality at which |t| exceeds a limit with that power. Cached: a table asks for few, again and again."""
    if math.isinf(limit):
        return math.inf

    def missing(noncentrality: float) -> float:
        # The other tail adds less than alpha / 2 times next to nothing, and its series does not converge far out.
        return float(stats.nct.sf(limit, degrees, noncentrality)) - power

    highest = limit + 1
    while missing(highest) < 0:
        highest *= 2
    return float(optimize.brentq(missing, 0.0, highest, xtol=1e-8))
