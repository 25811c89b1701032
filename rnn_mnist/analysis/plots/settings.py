"""The settings of a sweep in the order of their factors, each with the name that a legend gives it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from rnn_mnist.analysis.levels import order_levels, plain
from rnn_mnist.analysis.plots.factor_axis import factor_axis, setting_label


@dataclass(frozen=True)
class Setting:
    """The runs that differ in nothing but the seed."""

    label: str
    runs: pd.DataFrame


def group_settings(runs: pd.DataFrame, factors: Sequence[str]) -> list[Setting]:
    """The settings, ordered by the levels of the factors, the first one slowest."""
    if not factors:
        return [Setting(setting_label(runs.iloc[0], factors), runs)]
    places = {key: {_hashable(level): i for i, level in enumerate(order_levels(key, runs[key]))} for key in factors}
    rank = [
        tuple(places[key][_hashable(value)] for key, value in zip(factors, row, strict=True))
        for row in runs[list(factors)].itertuples(index=False)
    ]
    groups = runs.assign(_rank=rank).groupby("_rank", sort=True)
    return [Setting(setting_label(group.iloc[0], factors), group.drop(columns="_rank")) for _, group in groups]


def are_ordered(runs: pd.DataFrame, factors: Sequence[str]) -> bool:
    """Whether the settings are the levels of one numeric factor, so that their colours may form a scale."""
    return len(factors) == 1 and factor_axis(runs, factors[0]).numeric


def _hashable(value: object) -> tuple[bool, object]:
    value = plain(value)
    return isinstance(value, bool), value  # True == 1 otherwise
