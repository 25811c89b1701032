"""What a fitted additive regression says of one factor: its curve with a band, its slope, its differences."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from rnn_mnist.analysis.statistics.additive_terms import Scale, Term
from rnn_mnist.analysis.statistics.least_squares import LeastSquares

DRAWS = 4000
"""From the distribution of the coefficients, for what holds along a whole curve."""


@dataclass(frozen=True)
class Estimate:
    """A difference with its interval, in the metric's unit."""

    difference: float
    low: float
    high: float
    p_value: float

    @property
    def resolved(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Summit:
    """The inner point of a curve that lies farthest above both ends, or farthest below.

    Attributes:
        place: the index of the point.
        above: whether it is a maximum.
        to_first, to_last: its difference from the curve at the first and at the last point; these intervals hold for
            all points together, as the data have chosen this one.
    """

    place: int
    above: bool
    to_first: Estimate
    to_last: Estimate

    @property
    def resolved(self) -> bool:
        """Whether it differs from both ends."""
        return self.to_first.resolved and self.to_last.resolved


@dataclass(frozen=True)
class PartialEffect:
    """What one factor does, all others held where they are.

    Attributes:
        factor: the dotted key.
        scale: ``linear``, ``log`` or ``category``.
        points: values of the factor along the range that was tried, ascending; the levels of categories.
        mean: of the metric over the runs.
        curve: ``[point]``, the metric expected there at the average of the other factors.
        low, high: ``[point]``, the band about the curve: of its difference from the mean, at all points together.
        places: ``[run]``, the value of a run, or the index of its level; NaN where the factor does not act.
        partial: ``[run]``, the run's metric less what the other factors account for.
        degrees: of freedom of the curve.
        p_value, p_adjusted: that the factor does nothing: alone, and Holm's over the factors.
        trend: the slope of the straight line through the curve at the runs, per ``step``; None for categories.
        step: what the slope is per: ``decade``, ``doubling`` (where less than a decade was tried), ``unit`` (whole
            numbers) or ``range``.
        summit: where the curve turns, if it does.
        contrasts: of categories, each level against the reference as (level, estimate), all intervals together.
        reference: the level that they are against; None for numbers.
        importance: share of the variance of held-out runs that is lost without the factor; below 0 where they are
            predicted better without it. In a small search factors are correlated by chance: shares that come to more
            than all factors explain together are scaled down to that.
        importance_error: its standard error over the settings.
    """

    factor: str
    scale: Scale
    points: tuple[Any, ...]
    mean: float
    curve: np.ndarray
    low: np.ndarray
    high: np.ndarray
    places: np.ndarray
    partial: np.ndarray
    degrees: int
    p_value: float
    p_adjusted: float
    trend: Estimate | None
    step: str
    summit: Summit | None
    contrasts: tuple[tuple[Any, Estimate], ...]
    reference: Any
    importance: float
    importance_error: float

    @property
    def share(self) -> float:
        """The importance as a part of a whole: 0 where the factor is better left out."""
        return max(0.0, self.importance)

    @property
    def largest(self) -> float:
        """The largest deviation from the mean, anywhere in the range, that the band leaves possible."""
        return float(np.max([self.high - self.mean, self.mean - self.low]))


def partial_effect(
    term: Term,
    fitted: LeastSquares,
    columns: slice,
    mean: float,
    *,
    p_values: tuple[float, float],
    importance: tuple[float, float],
    reference: Any,
    confidence: float,
    seed: int,
) -> PartialEffect:
    """Work out what a regression says of a term.

    Args:
        term: the factor's.
        fitted: the regression.
        columns: which of its columns are the term's.
        mean: of the metric.
        p_values: of the factor, alone and adjusted.
        importance: of the factor, with its standard error.
        reference: the level that categories are compared with.
        confidence: of intervals and bands.
        seed: of the draws for the bands.
    """
    part = _Part(fitted.coefficients[columns], fitted.covariance[columns, columns], fitted.degrees, confidence, seed)
    numeric = term.trend is not None
    deviation = term.at_points @ part.coefficients
    band = part.critical(term.at_points) * part.errors(term.at_points)
    # The default of a factor that acts nowhere at its default is no level of the term.
    against = None if numeric else term.points.index(reference) if reference in term.points else 0
    return PartialEffect(
        factor=term.factor,
        scale=term.scale,
        points=term.points,
        mean=mean,
        curve=mean + deviation,
        low=mean + deviation - band,
        high=mean + deviation + band,
        places=term.places,
        partial=mean + term.columns @ part.coefficients + fitted.residuals,
        degrees=term.size,
        p_value=p_values[0],
        p_adjusted=p_values[1],
        trend=None if term.trend is None else _trend(term, term.trend, part),
        step=_step(term) if numeric else "",
        summit=_summit(term, part) if numeric else None,
        contrasts=() if against is None else _contrasts(term, part, against),
        reference=None if against is None else term.points[against],
        importance=importance[0],
        importance_error=importance[1],
    )


@dataclass(frozen=True)
class _Part:
    """The coefficients ``[column]`` of one term with their covariance."""

    coefficients: np.ndarray
    covariance: np.ndarray
    degrees: float
    confidence: float
    seed: int

    def errors(self, weights: np.ndarray) -> np.ndarray:
        """The standard errors of combinations of the coefficients, ``[combination, column]``."""
        errors: np.ndarray = np.sqrt(np.einsum("cj,jk,ck->c", weights, self.covariance, weights).clip(0))
        return errors

    def critical(self, weights: np.ndarray) -> float:
        """What the largest t of these combinations exceeds with probability 1 - confidence where all are 0."""
        if self.coefficients.size == 1:
            return float(stats.t.isf((1 - self.confidence) / 2, self.degrees))
        return float(np.quantile(self._largest(weights), self.confidence))

    def estimates(self, weights: np.ndarray) -> list[Estimate]:
        """The combinations with intervals that hold together, and p-values that are adjusted alike."""
        values, errors = weights @ self.coefficients, self.errors(weights)
        t = np.abs(np.divide(values, errors, out=np.zeros_like(values), where=errors > 0))
        if self.coefficients.size == 1:
            critical, p_values = self.critical(weights), 2 * stats.t.sf(t, self.degrees)
        else:
            largest = np.sort(self._largest(weights))
            critical = float(np.quantile(largest, self.confidence))
            p_values = (1 + DRAWS - np.searchsorted(largest, t)) / (1 + DRAWS)
        return [
            Estimate(float(value), float(value - critical * error), float(value + critical * error), float(p_value))
            for value, error, p_value in zip(values, errors, p_values, strict=True)
        ]

    def _largest(self, weights: np.ndarray) -> np.ndarray:
        """Draws ``[draw]`` of the largest absolute t, from a multivariate t (Hothorn, Bretz and Westfall 2008)."""
        random = np.random.default_rng(self.seed)
        values, vectors = np.linalg.eigh(self.covariance)
        normal = random.standard_normal((DRAWS, len(values))) * np.sqrt(values.clip(0))
        errors = self.errors(weights)
        moved = np.abs(normal @ vectors.T @ weights.T)
        t = np.divide(moved, errors, out=np.zeros_like(moved), where=errors > 0).max(axis=1)
        largest: np.ndarray = t / np.sqrt(random.chisquare(self.degrees, DRAWS) / self.degrees)
        return largest


def _step(term: Term) -> str:
    low, high = term.points[0], term.points[-1]
    if term.scale == "log":
        return "decade" if high >= 10 * low else "doubling"
    values = term.places[~np.isnan(term.places)]
    return "unit" if bool((values == values.round()).all()) else "range"


def _trend(term: Term, slope: np.ndarray, part: _Part) -> Estimate:
    """The slope, of one number alone and so with a plain t interval."""
    per = {"decade": 1.0, "doubling": math.log10(2), "unit": 1.0, "range": term.points[-1] - term.points[0]}
    weights = slope[None] * per[_step(term)]
    value, error = float((weights @ part.coefficients)[0]), float(part.errors(weights)[0])
    width = float(stats.t.isf((1 - part.confidence) / 2, part.degrees)) * error
    p_value = float(2 * stats.t.sf(abs(value) / error, part.degrees)) if error > 0 else float(value == 0)
    return Estimate(value, value - width, value + width, p_value)


def _summit(term: Term, part: _Part) -> Summit | None:
    curve = term.at_points @ part.coefficients
    inner = curve[1:-1]
    rises, falls = inner.max() - max(curve[0], curve[-1]), min(curve[0], curve[-1]) - inner.min()
    # A straight line has rounding errors to both sides.
    if max(rises, falls) <= 1e-9 * max(np.ptp(curve), 1e-300):
        return None
    above = bool(rises >= falls)
    place = 1 + int(inner.argmax() if above else inner.argmin())
    weights = np.concatenate([term.at_points - term.at_points[0], term.at_points - term.at_points[-1]])
    estimates = part.estimates(weights)
    return Summit(place, above, estimates[place], estimates[len(curve) + place])


def _contrasts(term: Term, part: _Part, reference: int) -> tuple[tuple[Any, Estimate], ...]:
    others = [place for place in range(len(term.points)) if place != reference]
    estimates = part.estimates(term.at_points[others] - term.at_points[reference])
    return tuple((term.points[place], estimate) for place, estimate in zip(others, estimates, strict=True))
