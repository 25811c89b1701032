"""Two settings compared over their seeds: difference, interval, p-value and what could have been seen at all.

Plain arrays in, plain numbers out; every statistic is scipy's or statsmodels'.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from rnn_mnist.analysis.statistics.power import Method, minimum_detectable_difference

FEWEST_TO_SPEAK = 3


@dataclass(frozen=True)
class Comparison:
    """A level against its reference; all but counts and ``p_value`` have the unit of the values.

    Attributes:
        method: how they were compared.
        n, n_reference: runs that were compared; for ``paired`` both are the number of pairs.
        mean, mean_reference: of those runs.
        difference: level less reference.
        low, high: confidence interval of the difference, of this one comparison; NaN with fewer than three runs.
        p_value: two-sided, of this one comparison; NaN with fewer than three runs.
        correlation: Pearson's, between the pairs; NaN for ``welch``.
        probability_of_improvement: that a run of the level is above one of the reference, ties counted half (the
            Mann-Whitney statistic; Agarwal et al. 2021, arXiv:2108.13264).
        standard_deviation: what the test takes for noise: of a single run, both settings pooled; for ``paired``, of the
            differences.
        minimum_detectable: the difference that a test of this size finds with probability 0.8 at the 0.05 level.
    """

    method: Method
    n: int
    n_reference: int
    mean: float
    mean_reference: float
    difference: float
    low: float
    high: float
    p_value: float
    correlation: float
    probability_of_improvement: float
    standard_deviation: float
    minimum_detectable: float


def compare(
    level: np.ndarray, reference: np.ndarray, method: Method = Method.welch, confidence: float = 0.95
) -> Comparison:
    """Compare the runs of a level ``[n]`` with those of a reference ``[m]``; for ``paired``, pair by pair (n = m).

    Where one is empty, what depends on it is NaN.

    Raises:
        ValueError: if ``paired`` and they are not equally long.
    """
    if method == Method.paired and len(level) != len(reference):
        raise ValueError(f"{len(level)} and {len(reference)} runs are no pairs")
    n, m = len(level), len(reference)
    low, high, p_value = _interval_and_p(level, reference, method, confidence)
    spread = _noise(level, reference, method)
    mean, mean_reference = (float(values.mean()) if len(values) else math.nan for values in (level, reference))
    improvement = math.nan
    if n and m:
        improvement = float(stats.mannwhitneyu(level, reference, method="asymptotic").statistic) / (n * m)
    return Comparison(
        method=method,
        n=n,
        n_reference=m,
        mean=mean,
        mean_reference=mean_reference,
        difference=mean - mean_reference,
        low=low,
        high=high,
        p_value=p_value,
        correlation=_correlation(level, reference) if method == Method.paired else math.nan,
        probability_of_improvement=improvement,
        standard_deviation=spread,
        minimum_detectable=minimum_detectable_difference(n, m, spread, method),
    )


def wilson_interval(accuracy: float, images: int, confidence: float = 0.95) -> tuple[float, float]:
    """Within what the true accuracy of *one* trained network lies that got this share of so many images right.

    More seeds do not narrow it: all runs are tested on the same images. Wilson's score interval.
    """
    if math.isnan(accuracy):
        return math.nan, math.nan
    low, high = proportion_confint(round(accuracy * images), images, alpha=1 - confidence, method="wilson")
    return float(low), float(high)


def _interval_and_p(
    level: np.ndarray, reference: np.ndarray, method: Method, confidence: float
) -> tuple[float, float, float]:
    if min(len(level), len(reference)) < FEWEST_TO_SPEAK:
        return math.nan, math.nan, math.nan
    difference = float(level.mean() - reference.mean())
    if _noise(level, reference, method) == 0:
        # No noise at all: scipy would divide by it.
        return difference, difference, math.nan if difference == 0 else 0.0
    if method == Method.paired:
        outcome = stats.ttest_rel(level, reference)
    else:
        outcome = stats.ttest_ind(level, reference, equal_var=False)
    bounds = outcome.confidence_interval(confidence)
    return float(bounds.low), float(bounds.high), float(outcome.pvalue)


def _noise(level: np.ndarray, reference: np.ndarray, method: Method) -> float:
    if method == Method.paired:
        return math.sqrt(_variance(level - reference))
    return math.sqrt((_variance(level) + _variance(reference)) / 2)


def _variance(values: np.ndarray) -> float:
    if len(values) < 2:
        return math.nan
    # Rounding gives equal values a variance of about 1e-34, by which a test statistic should not be divided.
    return float(np.var(values, ddof=1)) if np.ptp(values) > 0 else 0.0


def _correlation(level: np.ndarray, reference: np.ndarray) -> float:
    if len(level) < FEWEST_TO_SPEAK or np.ptp(level) == 0 or np.ptp(reference) == 0:
        return math.nan
    return float(stats.pearsonr(level, reference).statistic)
