"""The runs of a search that came to nothing: which they are, and where in its space they lie."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from rnn_mnist.analysis.reading.levels import format_level, order_levels, plain
from rnn_mnist.analysis.statistics.additive_terms import is_numeric

CHANCE = 0.01
"""A region is named where so many would lie in one so small with no more than this probability by chance."""

FAR = 10.0
"""Standard deviations that a run which collapsed is short of what its setting lets expect."""
MOST_COLLAPSED = 0.2
"""The largest share of all runs that are taken as exceptions."""


def where_they_lie(runs: pd.DataFrame, lost: "pd.Series[bool]", factors: Sequence[str], verb: str) -> list[str]:
    """A line on how many runs are lost and where; empty where none is.

    ``7 of 60 runs diverged, all with optimizer.lr >= 0.05, where 7 of 12 did``: the smallest region of one factor (from
    one of its numbers up or down, or a level) that holds them all, if it is smaller than chance makes it.

    Args:
        runs: those that count, the lost ones among them.
        lost: which are, by the same index.
        factors: those whose regions are tried.
        verb: what they did: ``diverged``.
    """
    count = int(lost.sum())
    if not count:
        return []
    line = f"{count} of {len(runs)} runs {verb}"
    regions = [region for key in factors for region in _regions(runs, lost, key)]
    # The hypergeometric probability that they all lie in a region of this size, times the regions that were tried.
    likely = [
        (len(regions) * float(stats.hypergeom.sf(count - 1, len(runs), size, count)), size, words)
        for words, size in regions
    ]
    probability, size, words = min(likely, default=(math.inf, 0, ""))
    if probability > CHANCE:
        return [f"{line}, in no region of a single factor" if count > 1 else line]
    return [f"{line}, all with {words}" + (f", where {count} of {size} did" if size > count else ", where all did")]


def collapsed_runs(design: np.ndarray, values: np.ndarray, *, higher_is_better: bool | None) -> np.ndarray:
    """Which runs ``[run]`` did not train, though they ended: far worse than their settings let expect.

    Such a run stands at 11 % among 97 %: it is of another kind than what a sum of curves describes, and has so much
    weight that nothing else could be seen. It counts where it falls short of the fit of least absolute deviations by
    more than :data:`FAR` of the residuals' deviations (normal noise never does). Where more than
    :data:`MOST_COLLAPSED` of all runs fall so short, they are no exceptions, and stay.

    Args:
        design: ``[run, column]``.
        values: ``[run]``.
        higher_is_better: of the metric; where it is None no run is worse.
    """
    none = np.zeros(len(values), dtype=bool)
    if higher_is_better is None:
        return none
    residuals = _absolute_deviations(design, values)
    left = len(values) - design.shape[1]
    if left <= 0:
        return none
    spread = 1.4826 * float(np.median(np.abs(residuals))) * math.sqrt(len(values) / left)
    far: np.ndarray = residuals < -FAR * spread if higher_is_better else residuals > FAR * spread
    return far if spread > 0 and far.mean() <= MOST_COLLAPSED else none


def _absolute_deviations(design: np.ndarray, values: np.ndarray, steps: int = 50) -> np.ndarray:
    """The residuals ``[run]`` of the fit of least absolute deviations, by reweighted least squares."""
    weights = np.ones(len(values))
    residuals = values
    for _ in range(steps):
        weighted = design * weights[:, None]
        residuals = values - design @ (np.linalg.pinv(weighted.T @ design, hermitian=True) @ (weighted.T @ values))
        floor = max(1e-4 * float(np.median(np.abs(residuals))), 1e-12)
        weights = 1 / np.maximum(np.abs(residuals), floor)
        weights /= weights.max()
    return residuals


def _regions(runs: pd.DataFrame, lost: "pd.Series[bool]", key: str) -> list[tuple[str, int]]:
    """The regions of a factor that hold all runs that are lost, in words, and how many runs are in each."""
    values = [plain(value) for value in runs[key]]
    where = [value for value, is_lost in zip(values, lost, strict=True) if is_lost]
    if is_numeric(values):
        if None in where:
            return []
        low, high = min(where), max(where)
        return [
            (f"{key} >= {_rounded(low, up=False)}", sum(value is not None and value >= low for value in values)),
            (f"{key} <= {_rounded(high, up=True)}", sum(value is not None and value <= high for value in values)),
        ]
    levels = order_levels(key, where)
    if len(levels) > 1:
        return []
    return [(f"{key}={format_level(levels[0])}", values.count(levels[0]))]


def _rounded(value: Any, *, up: bool) -> str:
    """Three digits, rounded so that the value itself stays inside."""
    if isinstance(value, int) or not value:
        return format_level(value)
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    return format_level((math.ceil if up else math.floor)(round(value / unit, 6)) * unit)
