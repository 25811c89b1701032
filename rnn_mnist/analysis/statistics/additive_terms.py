"""A factor as columns of an additive regression: a natural cubic spline along a number, or one column a category."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.interpolate import CubicSpline

from rnn_mnist.analysis.reading.levels import order_levels, plain
from rnn_mnist.analysis.statistics.sampled import is_number
from rnn_mnist.configuration.schema import declared

Scale = Literal["linear", "log", "category"]

POINTS = 101
"""Points along a number at which its curve is worked out."""
MOST_DEGREES = 4
"""Of freedom of a curve: enough for a rise, a summit and a steep fall."""
_FEWEST_NUMBERS = 3
"""Distinct numbers beside nulls, with fewer of which a factor is taken as categories."""


@dataclass(frozen=True)
class Term:
    """A factor's part in the regression; its coefficients ``[column]`` are the regression's.

    Attributes:
        factor: the dotted key.
        scale: of its numbers, as the key declares it; ``category`` for what is none.
        points: the values at which the curve is worked out, ascending; the levels of categories.
        columns: ``[run, column]``, centred over the runs in which the factor acts, and 0 in all others.
        at_points: the same columns at the points ``[point, column]``.
        places: ``[run]``, where a run stands: its value, the index of its level; NaN where the factor does not act.
        trend: ``[column]``, what the coefficients are to be multiplied by for the slope of the straight line through
            the curve at the runs, per decade (``log``) or per 1 (``linear``); None for categories.
    """

    factor: str
    scale: Scale
    points: tuple[Any, ...]
    columns: np.ndarray
    at_points: np.ndarray
    places: np.ndarray
    trend: np.ndarray | None

    @property
    def size(self) -> int:
        """The number of its columns."""
        return int(self.columns.shape[1])


def is_numeric(factor_values: Sequence[Any]) -> bool:
    """Whether a factor has a direction: numbers (and nulls, if there are enough numbers beside them)."""
    numbers = {value for value in map(plain, factor_values) if value is not None}
    nulls = any(plain(value) is None for value in factor_values)
    return all(map(is_number, numbers)) and len(numbers) >= (_FEWEST_NUMBERS if nulls else 2)


def scale_of(factor: str, values: np.ndarray) -> Literal["linear", "log"]:
    """The scale that the key declares; linear where a number is not above 0, which has no logarithm."""
    about = declared(factor)
    return "log" if about is not None and about.declared.scale == "log" and values.min() > 0 else "linear"


def numeric_term(factor: str, values: Sequence[Any], acts: np.ndarray, degrees: int) -> Term:
    """A number as a natural cubic spline, its knots at even quantiles of the distinct values.

    Args:
        factor: the dotted key.
        values: ``[run]``; None where there is none.
        acts: ``[run]``, whether the factor has an effect there at all.
        degrees: of freedom, the mean not counted; fewer are taken where there are too few distinct values. 1 is a line.
    """
    acts = acts & np.array([plain(value) is not None for value in values])
    numbers = np.array([plain(value) if act else np.nan for value, act in zip(values, acts, strict=True)], dtype=float)
    scale = scale_of(factor, numbers[acts])
    along = np.log10(numbers) if scale == "log" else numbers
    distinct = np.unique(along[acts])
    count = min(degrees, len(distinct) - 1) + 1
    knots = np.quantile(distinct, np.linspace(0, 1, count))
    grid = np.linspace(distinct[0], distinct[-1], POINTS)
    columns, at_points = _centred(_spline(along[acts], knots), _spline(grid, knots))
    whole = np.zeros((len(acts), columns.shape[1]))
    whole[acts] = columns
    about_mean = along[acts] - along[acts].mean()
    trend = about_mean @ columns / (about_mean @ about_mean)
    points = 10.0**grid if scale == "log" else grid
    # The ends as they were given, rather than as a power of their logarithm.
    points[[0, -1]] = np.nanmin(numbers), np.nanmax(numbers)
    return Term(factor, scale, tuple(points.tolist()), whole, at_points, numbers, trend)


def categorical_term(factor: str, values: Sequence[Any], acts: np.ndarray) -> Term:
    """Categories by treatment coding; which of them is the reference makes no difference to what is fitted."""
    levels = order_levels(factor, [value for value, act in zip(values, acts, strict=True) if act])
    index = {(isinstance(level, bool), level): place for place, level in enumerate(levels)}
    plains = [plain(value) for value in values]
    places = np.array(
        [index[isinstance(value, bool), value] if act else np.nan for value, act in zip(plains, acts, strict=True)],
        dtype=float,
    )
    coded = np.eye(len(levels))
    columns, at_points = _centred(coded[places[acts].astype(int)], coded)
    whole = np.zeros((len(acts), columns.shape[1]))
    whole[acts] = columns
    return Term(factor, "category", tuple(levels), whole, at_points, places, None)


def _spline(values: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Natural cubic splines ``[value, knot]``, each 1 at one knot and 0 at the others (Wood 2017, section 5.3.1)."""
    if len(knots) == 2:
        share = (values - knots[0]) / (knots[1] - knots[0])
        return np.stack([1 - share, share], axis=1)
    basis: np.ndarray = CubicSpline(knots, np.eye(len(knots)), bc_type="natural")(values)
    return basis


def _centred(columns: np.ndarray, at_points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns that sum to 1 in each row, without the mean: centred, and the first left out, which the others imply."""
    means = columns.mean(axis=0)
    return (columns - means)[:, 1:], (at_points - means)[:, 1:]
