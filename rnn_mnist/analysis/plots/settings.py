"""The settings of a sweep in the order of their factors, each with the name that a legend gives it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from rnn_mnist.analysis.plots.factor_axis import factor_axis, setting_label
from rnn_mnist.analysis.statistics.summary import group_by_levels


@dataclass(frozen=True)
class Setting:
    """The runs that differ in nothing but the seed."""

    label: str
    runs: pd.DataFrame


def group_settings(runs: pd.DataFrame, factors: Sequence[str]) -> list[Setting]:
    """The settings, ordered by the levels of the factors, the first one slowest."""
    return [Setting(setting_label(levels, factors), group) for levels, group in group_by_levels(runs, factors)]


def full_name(title: str | None, label: str) -> str:
    """A setting in a sentence, where no legend's title stands above it: ``num_layers=2`` and not ``2``."""
    return f"{title}={label}" if title else label


def are_ordered(runs: pd.DataFrame, factors: Sequence[str]) -> bool:
    """Whether the settings are the levels of one numeric factor, so that their colours may form a scale."""
    return len(factors) == 1 and factor_axis(runs, factors[0]).numeric
