"""A contrast of settings, seed by seed: runs that share a seed are never counted as independent.

A cell is one context of one level; its runs are laid out as an array ``[context, seed]``, NaN where there is none. A
contrast is a mean over contexts of differences between such arrays. Each seed's part in it is its pseudo-value (the
contrast plus n times the seed's influence on it): with no run missing, that is the seed's own mean over the contexts,
and the test of the pseudo-values is the plain t-test of one mean a seed. With runs missing, every context keeps its
weight, so that a cell that has lost runs does not shift the contrast, and the spread of the pseudo-values is the
cluster-robust variance with seeds as clusters (Liang and Zeger 1986, Biometrika 73:13).
"""

import math
from dataclasses import dataclass

import numpy as np

FEWEST_TO_SPEAK = 3
"""Replicates without which no interval is claimed: with two, a t interval is 13 times as wide as the spread."""


@dataclass(frozen=True)
class Sample:
    """The pseudo-values of one part of a contrast.

    Attributes:
        values: ``[seed]``; their mean is the part's estimate; NaN for seeds that have no run in it.
        floor: standard deviation below which that of the values is not believed (of metrics that count images).
    """

    values: np.ndarray
    floor: float = 0.0

    @property
    def n(self) -> int:
        """Seeds that have a value."""
        return int((~np.isnan(self.values)).sum())

    @property
    def mean(self) -> float:
        """The estimate; NaN without a value."""
        return float(np.nanmean(self.values)) if self.n else math.nan

    @property
    def variance(self) -> float:
        """Of one value (n - 1); NaN for fewer than two."""
        if self.n < 2:
            return math.nan
        known = self.values[~np.isnan(self.values)]
        # Rounding gives equal values a variance of about 1e-34, by which a statistic should not be divided.
        spread = float(np.var(known, ddof=1)) if np.ptp(known) > 1e-12 * max(1.0, abs(known).max()) else 0.0
        return max(spread, self.floor**2)


@dataclass(frozen=True)
class Contrast:
    """A difference of by-seed means, with its t-test: of one sample of differences, or Welch's of two samples."""

    level: Sample
    reference: Sample | None = None
    """None where ``level`` holds the differences themselves."""

    @property
    def parts(self) -> tuple[Sample, ...]:
        """The independent samples."""
        return (self.level,) if self.reference is None else (self.level, self.reference)

    @property
    def estimate(self) -> float:
        """The difference; NaN where a part has no value."""
        return self.level.mean - (self.reference.mean if self.reference else 0.0)

    @property
    def n(self) -> int:
        """Seeds of the part that has the fewest."""
        return min(part.n for part in self.parts)

    @property
    def testable(self) -> bool:
        """Whether there are enough seeds for an interval."""
        return self.n >= FEWEST_TO_SPEAK

    @property
    def variance(self) -> float:
        """Of the estimate."""
        return math.fsum(part.variance / part.n for part in self.parts)

    @property
    def degrees_of_freedom(self) -> float:
        """n - 1 for one part, Welch's and Satterthwaite's for two."""
        if len(self.parts) == 1:
            return float(self.n - 1)
        shares = [(part.variance / part.n, part.n - 1) for part in self.parts]
        below = math.fsum(share**2 / degrees for share, degrees in shares)
        if below == 0:
            return float(min(degrees for _, degrees in shares))
        return math.fsum(share for share, _ in shares) ** 2 / below

    @property
    def t(self) -> float:
        """The estimate over its standard error; infinite where nothing varies and the estimate is not 0."""
        if self.variance == 0:
            return math.copysign(math.inf, self.estimate) if self.estimate else 0.0
        return self.estimate / math.sqrt(self.variance)


def paired_contrast(level: np.ndarray, reference: np.ndarray, floor: float = 0.0) -> Contrast:
    """Level less reference ``[context, seed]``, seed by seed; ``floor`` (see :class:`Sample`) is of one difference."""
    return Contrast(pseudo_values(level - reference, floor))


def independent_contrast(level: np.ndarray, reference: np.ndarray, floor: float = 0.0) -> Contrast:
    """Level less reference ``[context, seed]``, as two samples; ``floor`` (see :class:`Sample`) is of one run."""
    return Contrast(pseudo_values(level, floor), pseudo_values(reference, floor))


def pseudo_values(cells: np.ndarray, floor: float = 0.0) -> Sample:
    """The by-seed sample of a mean over contexts, from its runs ``[context, seed]``; each context weighs alike.

    ``floor`` is that of one run; that of a mean over contexts is smaller.
    """
    contexts, _ = cells.shape
    known = ~np.isnan(cells)
    counts = known.sum(axis=1)
    if not contexts or not counts.all():
        return Sample(np.full(cells.shape[1], np.nan))
    about = np.where(known, cells, 0.0)
    means = about.sum(axis=1) / counts
    there = known.any(axis=0)
    seeds = int(there.sum())
    # Residuals about the mean of few runs are too small; those of all seeds are set right by the n - 1 of the variance.
    fewer = np.sqrt(counts / np.maximum(counts - 1, 1) * max(seeds - 1, 1) / seeds)
    residuals = np.where(known, cells - means[:, None], 0.0) * (fewer / counts)[:, None]
    influence = residuals.sum(axis=0) / contexts
    return Sample(np.where(there, means.mean() + seeds * influence, np.nan), floor / math.sqrt(contexts))


def usable_contexts(*cells: np.ndarray, together: bool) -> np.ndarray:
    """Which contexts ``[context]`` have enough seeds in each of these arrays ``[context, seed]``.

    ``together``: the seeds must be the same in all of them, as for a paired contrast.
    """
    known = [~np.isnan(cell) for cell in cells]
    if together:
        known = [np.logical_and.reduce(known)]
    enough: np.ndarray = np.logical_and.reduce([have.sum(axis=1) >= FEWEST_TO_SPEAK for have in known])
    return enough
