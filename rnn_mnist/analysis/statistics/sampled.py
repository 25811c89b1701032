"""Which factors were drawn rather than chosen: a random search has an answer of its own."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from rnn_mnist.analysis.reading.levels import plain

MOST_LEVELS = 6
"""More levels than these, mostly of a run each, are no groups that could be compared one by one."""


def is_sampled(runs: pd.DataFrame, factor: str, factors: Sequence[str] | None = None) -> bool:
    """Whether the factor's levels are numbers, more than :data:`MOST_LEVELS`, and mostly of a run each.

    A run each in the setting, or a setting that shares the levels of its other factors with no second level: either
    way no level can be compared with another, and the metric is to be described along the numbers as a whole
    (:func:`rnn_mnist.analysis.statistics.additive_regression.additive_regression`).

    Args:
        runs: as :func:`rnn_mnist.analysis.reading.results.load_runs` returns them.
        factor: a column of them.
        factors: all that vary, this one among them or not; None where it is the only one that matters.
    """
    values = [plain(value) for value in runs[factor]]
    numbers = [value is not None for value in values]
    if not all(is_number(value) for value in values if value is not None):
        return False
    if len(set(values) - {None}) <= MOST_LEVELS:
        return False
    others = [key for key in factors or () if key != factor]
    table = pd.DataFrame({"level": values, "context": _combinations(runs, others)})[numbers]
    alone = table.groupby(["level", "context"]).size() == 1
    if alone.mean() > 0.5:
        return True
    shared = table.groupby("context")["level"].nunique() > 1
    return bool(shared.reindex(table["context"]).groupby(table["level"].to_numpy()).any().mean() < 0.5)


def sampled_factors(runs: pd.DataFrame, factors: Sequence[str]) -> list[str]:
    """Those of the factors that were sampled (:func:`is_sampled`); where there is one, the design is no grid."""
    return [factor for factor in factors if is_sampled(runs, factor, factors)]


def is_number(value: Any) -> bool:
    """Whether a level is a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _combinations(runs: pd.DataFrame, keys: Sequence[str]) -> list[str]:
    columns = [[repr(plain(value)) for value in runs[key]] for key in keys]
    return ["|".join(row) for row in zip(*columns, strict=True)] or [""] * len(runs)
