"""A factor laid out along an axis, and the names of settings in legends."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from rnn_mnist.analysis.reading.levels import format_level, format_levels, order_levels, plain, typed
from rnn_mnist.configuration.schema import declared

Scale = Literal["category", "linear", "log"]

# Closer together than this share of the axis, labels would touch.
_CLOSEST = 0.04

# A round number that lies beyond an end by less than this share of the axis still has its label.
_BEYOND = 0.02

MOST_LABELS = 12
"""With more levels, numbers stand where they are, and a few round ones are labelled in their place."""


@dataclass(frozen=True)
class FactorAxis:
    """The levels of a factor, in order, and where they stand.

    Attributes:
        key: the dotted configuration key.
        levels: the distinct values.
        labels: what each is called.
        scale: as the key declares it; ``category`` places them at 0, 1, 2 ... (never more than 12 numbers).
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

    @property
    def crowded(self) -> bool:
        """Whether there are too many numbers for a label each, so that the axis has a few round ones."""
        return self.numeric and len(self.levels) > MOST_LABELS

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Where labels stand, in data coordinates of the scale, with the labels: all levels, or a few round numbers."""
        if not self.crowded:
            return tuple(zip(self.positions, self.labels, strict=True))
        return round_ticks(self.positions[0], self.positions[-1], self.scale)

    def fraction(self, position: float) -> float:
        """How far along the axis a position is, from 0 at the first level to 1 at the last."""
        along = np.array([position, self.positions[0], self.positions[-1]])
        place, first, last = np.log(along) if self.scale == "log" else along
        return float((place - first) / (last - first)) if last > first else 0.5

    def place(self, value: Any) -> int:
        """Which of the levels a value is, from 0."""
        return self._places[typed(plain(value))]

    @cached_property
    def _places(self) -> dict[tuple[bool, Any], int]:
        return {typed(level): place for place, level in enumerate(self.levels)}

    def rows(self, frame: pd.DataFrame, level: Any) -> pd.DataFrame:
        """The rows that have this level."""
        return frame[[_same(value, level) for value in frame[self.key]]]


def factor_axis(runs: pd.DataFrame, key: str) -> FactorAxis:
    """The levels of the factor ``key`` in a table of runs, laid out."""
    levels = tuple(order_levels(key, runs[key]))
    about = declared(key)
    scale, positions = _layout(levels, logarithmic=about is not None and about.declared.scale == "log")
    return FactorAxis(key, levels, tuple(format_level(level) for level in levels), scale, positions)


def round_ticks(low: float, high: float, scale: Scale, most: int = 6) -> tuple[tuple[float, str], ...]:
    """A few round numbers between two (or just beyond), with their labels; along a logarithm 1, 2 or 3, and 5."""
    linear = np.array(MaxNLocator(most - 1, steps=[1, 2, 5, 10]).tick_values(low, high))
    room = _BEYOND * (high - low)
    first, last = low - room, high + room
    candidates = [linear]
    if scale == "log":
        first, last = low * (low / high) ** _BEYOND, high * (high / low) ** _BEYOND
        powers = 10.0 ** np.arange(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        within = ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,))
        candidates = [np.sort(np.outer(powers, digits).ravel()) for digits in within] + [powers[::2], powers[::3]]
        if high < 10 * low:  # too short for a logarithm to have round numbers of its own
            candidates.append(linear)
    inside = [ticks[(ticks >= first) & (ticks <= last)] for ticks in candidates]
    fitting = [ticks for ticks in inside if len(ticks) <= most]
    kept = next((ticks for ticks in fitting if len(ticks) >= 3), max(fitting, key=len, default=inside[-1]))
    return tuple((float(tick), f"{tick:g}") for tick in kept)


def setting_label(levels: Mapping[str, Any], factors: Sequence[str]) -> str:
    """What sets a setting apart: ``bidirectional=true, readout=mean``; the value alone where one factor varies."""
    if len(factors) == 1:
        return format_level(levels[factors[0]])
    return format_levels([(key, levels[key]) for key in factors], factors) or "all runs"


def _same(value: Any, level: Any) -> bool:
    return typed(plain(value)) == typed(level)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _layout(levels: tuple[Any, ...], *, logarithmic: bool) -> tuple[Scale, tuple[float, ...]]:
    """The axis that the key declares if the levels fit on it, or are too many for places of their own; else places."""
    places = tuple(float(i) for i in range(len(levels)))
    if len(levels) < 2 or not all(_is_number(level) for level in levels):
        return "category", places
    values = np.array(levels, dtype=float)
    logarithmic = logarithmic and values[0] > 0
    spaced = np.log(values) if logarithmic else values
    if len(levels) <= MOST_LABELS and np.diff(spaced).min() / np.ptp(spaced) <= _CLOSEST:
        return "category", places
    return ("log" if logarithmic else "linear"), tuple(values)
