"""How the variance over a full grid divides among its factors, their interactions and the seeds."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

Term = tuple[int, ...]


def variance_shares(cells: Sequence[np.ndarray], shape: tuple[int, ...]) -> tuple[dict[Term, float], float]:
    """The functional ANOVA of a grid, each cell weighing alike (Hutter et al. 2014, equations 2 to 6).

    With equally many runs in every cell the shares are the sums of squares of the classical analysis of variance over
    their total, as ``statsmodels.stats.anova.anova_lm`` gives them; unlike that, this stays a division of the whole
    when some cells have lost runs.

    Args:
        cells: the runs' values ``[runs of the cell]``, for each cell of the grid in C order; none is empty.
        shape: the number of levels of each factor.

    Returns:
        For every set of factors (by position) its share, and the share of the variance within the cells. Together they
        are 1, or all 0 where nothing varies.
    """
    means = np.array([cell.mean() for cell in cells]).reshape(shape)
    within = float(np.mean([cell.var() for cell in cells]))
    total = float(means.var()) + within
    axes = range(len(shape))
    components: dict[Term, np.ndarray] = {(): means.mean(keepdims=True)}
    shares: dict[Term, float] = {}
    for size in range(1, len(shape) + 1):
        for term in combinations(axes, size):
            marginal = means.mean(axis=tuple(axis for axis in axes if axis not in term), keepdims=True)
            smaller = [part for count in range(size) for part in combinations(term, count)]
            components[term] = marginal - sum((components[part] for part in smaller), np.zeros(()))
            shares[term] = float((components[term] ** 2).mean()) / total if total > 0 else 0.0
    return shares, within / total if total > 0 else 0.0


def shares_by_chance(cells: Sequence[np.ndarray], shape: tuple[int, ...], within_share: float) -> dict[Term, float]:
    """The share that each term would be expected to have from the seeds' noise alone.

    In a balanced analysis of variance the expected sum of squares of a term without effect is its degrees of freedom
    times the residual mean square. Cells that have lost runs count with their harmonic mean number. NaN where no cell
    has two runs, so that noise is unknown.
    """
    sizes = np.array([len(cell) for cell in cells])
    harmonic = len(sizes) / float((1 / sizes).sum())
    degrees_within = (harmonic - 1) * len(sizes)
    by_chance: dict[Term, float] = {}
    for size in range(1, len(shape) + 1):
        for term in combinations(range(len(shape)), size):
            degrees = float(np.prod([shape[axis] - 1 for axis in term]))
            by_chance[term] = degrees * within_share / degrees_within if degrees_within > 0 else float("nan")
    return by_chance
