"""Which settings are worth their cost, as far as their runs can tell."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from rnn_mnist.analysis.statistics.by_seed import FEWEST_TO_SPEAK

# Costs within this ratio count as equal: seconds vary by some per cent from run to run.
SAME_COST = 1.05


@dataclass(frozen=True)
class Front:
    """Settings by their place, from the cheapest to the dearest.

    Attributes:
        resolved: those that are better than every one that costs no more, beyond the interval of the difference.
        unresolved: of the others, those that none that costs no more is resolved to be better than.
    """

    resolved: tuple[int, ...]
    unresolved: tuple[int, ...]


def find_front(
    costs: np.ndarray, reached: Sequence[np.ndarray], eligible: Sequence[bool], confidence: float = 0.95
) -> Front:
    """Compare each setting with all those that cost no more.

    Differences have Welch's intervals, by Bonferroni simultaneous for all comparisons of one setting. (Settings that
    share seeds correlate, so these are wider than need be and never too narrow.)

    Args:
        costs: ``[setting]``; less is better. Those within 5 % of one another count as equal.
        reached: of each setting the values ``[run]``; more is better.
        eligible: ``[setting]``; others are on no front and keep none off it.
        confidence: of the intervals.
    """
    values = [np.asarray(each, dtype=float) for each in reached]
    known = [i for i in np.argsort(costs, kind="stable") if eligible[i] and len(values[i]) and np.isfinite(costs[i])]
    n = np.array([len(values[i]) for i in known], dtype=float)
    mean = np.array([values[i].mean() for i in known])
    variance = np.array([values[i].var(ddof=1) if len(values[i]) >= FEWEST_TO_SPEAK else math.nan for i in known])
    dearness = np.array([costs[i] for i in known], dtype=float)
    resolved: list[int] = []
    unresolved: list[int] = []
    for place, index in enumerate(known):
        rivals = np.flatnonzero(dearness <= SAME_COST * dearness[place])
        rivals = rivals[rivals != place]
        if not len(rivals):
            (resolved if n[place] >= FEWEST_TO_SPEAK else unresolved).append(int(index))
            continue
        parts = variance[place] / n[place], variance[rivals] / n[rivals]
        error = np.sqrt(parts[0] + parts[1])
        below = parts[0] ** 2 / (n[place] - 1) + parts[1] ** 2 / (n[rivals] - 1) if n[place] > 1 else error * math.nan
        with np.errstate(invalid="ignore", divide="ignore"):
            freedom = np.where(error > 0, error**4 / below, n[place] - 1)
            half = stats.t.ppf(1 - (1 - confidence) / (2 * len(rivals)), freedom) * error
        lead = mean[place] - mean[rivals]
        if (lead - half > 0).all():  # a NaN resolves nothing
            resolved.append(int(index))
        elif not (lead + half < 0).any():
            unresolved.append(int(index))
    return Front(tuple(resolved), tuple(unresolved))
