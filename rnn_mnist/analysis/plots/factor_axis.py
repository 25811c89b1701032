"""A factor laid out along an axis, and the names of settings in legends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from rnn_mnist.analysis.reading.levels import format_level, format_levels, order_levels, plain
from rnn_mnist.configuration.schema import declared

Scale = Literal["category", "linear", "log"]

# Closer together than this share of the axis, labels would touch.
_CLOSEST = 0.04


@dataclass(frozen=True)
class FactorAxis:
    """The levels of a factor, in order, and where they stand.

    Attributes:
        key: the dotted configuration key.
        levels: the distinct values.
        labels: what each is called.
        scale: as the key declares it; ``category`` places them at 0, 1, 2 ...
        positions: where each stands, in data coordinates of that scale.
    """

    key: str
    levels: tuple[Any, ...]
    labels: tuple[str, ...]
    scale: Scale
    positions: tuple[float, ...]

    @property
    def numeric(self) -> bool:
        """Whether all levels are numbers, so that the axis has a direction."""
        return all(_is_number(level) for level in self.levels)

    def place(self, value: Any) -> int:
        """Which of the levels a value is, from 0."""
        return next(i for i, level in enumerate(self.levels) if _same(value, level))

    def rows(self, frame: pd.DataFrame, level: Any) -> pd.DataFrame:
        """The rows that have this level."""
        return frame[[_same(value, level) for value in frame[self.key]]]


def factor_axis(runs: pd.DataFrame, key: str) -> FactorAxis:
    """The levels of the factor ``key`` in a table of runs, laid out."""
    levels = tuple(order_levels(key, runs[key]))
    about = declared(key)
    scale, positions = _layout(levels, logarithmic=about is not None and about.declared.scale == "log")
    return FactorAxis(key, levels, tuple(format_level(level) for level in levels), scale, positions)


def setting_label(levels: Mapping[str, Any], factors: Sequence[str]) -> str:
    """What sets a setting apart: ``bidirectional=true, readout=mean``; the value alone where one factor varies."""
    if len(factors) == 1:
        return format_level(levels[factors[0]])
    return format_levels([(key, levels[key]) for key in factors], factors) or "all runs"


def _same(value: Any, level: Any) -> bool:
    # True == 1 in Python, and not in a configuration.
    return bool(plain(value) == level) and isinstance(plain(value), bool) == isinstance(level, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _layout(levels: tuple[Any, ...], *, logarithmic: bool) -> tuple[Scale, tuple[float, ...]]:
    """The axis that the key declares if the levels fit on it, else evenly spaced places."""
    places = tuple(float(i) for i in range(len(levels)))
    if len(levels) < 2 or not all(_is_number(level) for level in levels):
        return "category", places
    values = np.array(levels, dtype=float)
    logarithmic = logarithmic and values[0] > 0
    spaced = np.log(values) if logarithmic else values
    if np.diff(spaced).min() / np.ptp(spaced) <= _CLOSEST:
        return "category", places
    return ("log" if logarithmic else "linear"), tuple(values)
