"""Divergence as an outcome: how often, whether one level diverges more often than another, and what is then better."""

import numpy as np
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from rnn_mnist.analysis.statistics.by_seed import Contrast, independent_contrast, paired_contrast

_MOST_FOR_BOSCHLOO = 100
"""Runs of both levels: its search over the nuisance parameter takes seconds beyond, where Fisher's test is as good."""


def rate_interval(failed: int, runs: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of the share of runs that fail; 0 to 1 where there are none."""
    if not runs:
        return 0.0, 1.0
    low, high = proportion_confint(failed, runs, alpha=1 - confidence, method="wilson")
    return float(low), float(high)


def rate_p_value(failed: int, runs: int, failed_reference: int, runs_reference: int) -> float:
    """Two-sided and exact, of both levels failing equally often: Boschloo's test, for many runs Fisher's.

    Runs count one by one; where a level's runs fail together in the seeds, it is too small.
    """
    if not (runs and runs_reference and failed + failed_reference):
        return 1.0
    table = np.array([[failed, failed_reference], [runs - failed, runs_reference - failed_reference]])
    if table.sum() > _MOST_FOR_BOSCHLOO:
        return float(stats.fisher_exact(table).pvalue)
    return float(stats.boschloo_exact(table, n=16).pvalue)


def worst_rank_contrast(
    level: np.ndarray, reference: np.ndarray, failed: np.ndarray, failed_reference: np.ndarray, *, paired: bool
) -> Contrast:
    """The contrast of ranks in which a failed run is worse than any that finished (Lachin 1999, Stat. Med. 18).

    Args:
        level, reference: values ``[context, seed]``, higher is better; NaN where a run failed or is missing.
        failed, failed_reference: which of them failed, ``[context, seed]``.
        paired: whether a seed shares noise between the levels.

    Ranks are taken within a context, over both levels, and divided by their number: the estimate is then twice the
    probability that a run of the level is better than one of the reference, less one. Every failure ranks alike.
    """
    one, other = np.where(failed, -np.inf, level), np.where(failed_reference, -np.inf, reference)
    both = np.concatenate([one, other], axis=1)
    ranks = np.full(both.shape, np.nan)
    for context, values in enumerate(both):
        known = ~np.isnan(values)
        ranks[context, known] = 2 * stats.rankdata(values[known]) / max(1, known.sum())
    halves = ranks[:, : level.shape[1]], ranks[:, level.shape[1] :]
    return paired_contrast(*halves) if paired else independent_contrast(*halves)
