"""Where in the space of a search the runs lie that diverged."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from scipy import stats

from rnn_mnist.analysis.reading.levels import format_level, order_levels, plain
from rnn_mnist.analysis.statistics.additive_terms import is_numeric
from rnn_mnist.runs.record import State

CHANCE = 0.05
"""A region is named where so many would lie in one so small with no more than this probability by chance."""


def diverged_runs(runs: pd.DataFrame) -> "pd.Series[bool]":
    """Which runs diverged; where that is not said apart, which failed."""
    if "diverged" in runs:
        return runs["diverged"].astype(bool)
    return runs["status"] == State.failed


def where_diverged(runs: pd.DataFrame, factors: Sequence[str]) -> list[str]:
    """A line on how many runs diverged and where: empty where none did.

    ``7 of 60 runs diverged, all with optimizer.lr >= 0.05, where 7 of 12 did``: the smallest region of one factor (from
    one of its numbers up or down, or a level) that holds them all, if it is smaller than chance makes it.
    """
    diverged = diverged_runs(runs)
    ended = runs[diverged | (runs["status"] == State.completed)]
    lost = diverged.loc[ended.index]
    count = int(lost.sum())
    if not count:
        return []
    line = f"{count} of {len(ended)} runs diverged"
    regions = [region for key in factors for region in _regions(ended, lost, key)]
    tried = max(1, len(regions))
    # The hypergeometric probability that they all lie in a region of this size, times the regions that were tried.
    likely = [
        (tried * float(stats.hypergeom.sf(count - 1, len(ended), size, count)), size, words) for words, size in regions
    ]
    probability, size, words = min(likely, default=(math.inf, 0, ""))
    if probability > CHANCE:
        return [f"{line}, in no region of a single factor" if count > 1 else line]
    return [f"{line}, all with {words}" + (f", where {count} of {size} did" if size > count else ", where all did")]


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
