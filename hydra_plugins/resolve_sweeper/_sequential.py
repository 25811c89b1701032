"""Boundaries of a group-sequential test: how far a t statistic must lie from zero at each of several looks.

Looking again and again at a growing set of data finds something in the end, whether or not there is anything. Here all
looks together spend ``alpha``, and early ones spend little of it:

- alpha spending: Lan & DeMets 1983, Biometrika 70:659-663, with a function that resembles the boundaries of
  O'Brien & Fleming 1979, Biometrics 35:549-556;
- boundaries by recursive numerical integration: Armitage, McPherson & Rowe 1969, JRSS A 132:235-244; Jennison &
  Turnbull 2000, Group Sequential Methods, chapter 19;
- from z to t by equal tail probabilities: Pocock 1977, Biometrika 64:191-199; Jennison & Turnbull 2000, section 3.8.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student

FloatArray = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

SPENDING = "O'Brien-Fleming-like (Lan & DeMets 1983), two-sided"
_NODES, _WEIGHTS = leggauss(160)
_FAR = 10.0
"""In standard deviations: beyond it lies less than any level that is worth spending."""


def spent(fraction: float, alpha: float) -> float:
    """The part of ``alpha`` that may be spent up to a fraction of all seeds, on both sides together.

    Args:
        fraction: seeds so far, of the most that there can be; in (0, 1].
        alpha: the level of all looks together, in (0, 1).
    """
    return float(4 * norm.sf(norm.isf(alpha / 4) / np.sqrt(fraction)))


def z_boundaries(information: Sequence[float], cumulative: Sequence[float]) -> FloatArray:
    """How far from zero a standard normal statistic must lie, by look.

    Under the hypothesis of no difference, statistics at information ``I_j <= I_k`` correlate by ``sqrt(I_j / I_k)``.

    Args:
        information: at each look, strictly increasing, in any unit; ``[look]``.
        cumulative: the probability of crossing on either side at or before each look, not decreasing; ``[look]``.

    Returns:
        The boundaries, ``[look]``; infinite where a look may spend nothing.
    """
    boundaries = np.full(len(information), np.inf)
    # The density of the score process S = Z sqrt(I) over the region where no look has crossed yet.
    points, density = np.zeros(1), np.ones(1)
    before = before_spent = 0.0
    for k, (now, total) in enumerate(zip(information, cumulative, strict=True)):
        allowed = total - before_spent
        step, root = np.sqrt(now - before), np.sqrt(now)

        def crossing(z: float, points: FloatArray = points, density: FloatArray = density) -> float:
            return float(2 * np.sum(density * norm.sf((z * root - points) / step)))  # noqa: B023 - used at once

        if allowed > 0 and crossing(_FAR) < allowed:
            boundaries[k] = brentq(lambda z: crossing(z) - allowed, 0.0, _FAR, xtol=1e-10)  # noqa: B023
        edge = min(boundaries[k], _FAR) * root
        new = edge * _NODES
        kernel = norm.pdf((new[:, None] - points[None, :]) / step) / step
        points, density = new, edge * _WEIGHTS * (kernel @ density)
        before, before_spent = now, total
    return boundaries


@lru_cache(maxsize=4096)
def critical_t(seeds: tuple[int, ...], fractions: tuple[float, ...], alpha: float) -> float:
    """How far from zero a t statistic must lie at the latest of several looks.

    The fractions are planned and the seeds are counted: where runs failed, later looks have less data than was planned,
    and spend no more than was planned (Lan & DeMets 1989, Statistics in Medicine 8:1191-1198).

    Args:
        seeds: values that the test had at each look, ``[look]``; a look that brought no new ones, or at which there
            were fewer than two, was none.
        fractions: of all seeds, planned at each look, ``[look]``.
        alpha: two-sided level of all looks together.

    Returns:
        The critical value, for ``seeds[-1] - 1`` degrees of freedom; infinite where the latest look was none.
    """
    counted: list[tuple[int, float]] = []
    for count, fraction in zip(seeds, fractions, strict=True):
        if count >= 2 and (not counted or count > counted[-1][0]):
            counted.append((count, fraction))
    if not counted or counted[-1][1] != fractions[-1]:
        return float("inf")
    z = z_boundaries([count for count, _ in counted], [spent(fraction, alpha) for _, fraction in counted])[-1]
    return float(student.isf(norm.sf(z), seeds[-1] - 1))


def spread_looks(count: int, first: int, last: int) -> tuple[int, ...]:
    """Numbers of seeds at which to look, further apart as they grow: 6 looks of 5 to 30 are 5, 8, 12, 17, 23, 30.

    What is still open after many seeds is small, and a few seeds more will not settle it.
    """
    if count == 1 or first >= last:
        return (last,)
    steps = np.cumsum([0, *range(3, count + 2)])
    return tuple(sorted({round(first + (last - first) * float(step) / float(steps[-1])) for step in steps}))
