"""A factor laid out along an axis, and the names of settings in legends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from rnn_mnist.analysis.reading.levels import format_level, format_levels, order_levels, plain

Scale = Literal["category", "linear", "log"]

# Closer together than this share of the axis, labels would touch.
_CLOSEST = 0.04
_DECADE = 10


@dataclass(frozen=True)
class FactorAxis:
    """The levels of a factor, in order, and where they stand.

    Attributes:
        key: the dotted configuration key.
        levels: the distinct values.
        labels: what each is called.
        scale: ``log`` where the levels are spaced geometrically; ``category`` places them at 0, 1, 2 ...
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
    scale, positions = _layout(levels)
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


def _layout(levels: tuple[Any, ...]) -> tuple[Scale, tuple[float, ...]]:
    """A logarithmic axis for geometric spacing, a linear one for what fits on it, else evenly spaced places."""
    places = tuple(float(i) for i in range(len(levels)))
    if len(levels) < 2 or not all(_is_number(level) for level in levels):
        return "category", places
    values = np.array(levels, dtype=float)
    if len(values) == 2:  # 0.001 and 0.01 are a decade of learning rates; 1 and 2 layers are one layer apart
        return ("log" if values[0] > 0 and values[1] / values[0] >= _DECADE else "linear"), tuple(values)
    closest_linear = np.diff(values).min() / np.ptp(values)
    if values[0] > 0 and len(values) >= 3 and values[-1] / values[0] >= 4:
        logarithms = np.log(values)
        closest_log = np.diff(logarithms).min() / np.ptp(logarithms)
        # Also for spacings that are not quite geometric (64, 100, 256): wherever it sets the levels further apart.
        if closest_log > closest_linear:
            return ("log", tuple(values)) if closest_log > _CLOSEST else ("category", places)
    return ("linear", tuple(values)) if closest_linear > _CLOSEST else ("category", places)
