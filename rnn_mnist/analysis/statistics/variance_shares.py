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


def shares_by_chance(
    cells: Sequence[np.ndarray], seeds: Sequence[np.ndarray] | np.ndarray, shape: tuple[int, ...]
) -> dict[Term, float]:
    """The share that each term would be expected to have from the seeds' noise alone.

    The error term of a repeated-measures analysis of variance: how far each seed departs from what a term comes to on
    average. Noise that the cells of a seed have in common cancels where a term compares them, and adds up where they go
    together; noise between the runs of a cell would take all of it for independent.

    Args:
        cells: the runs' values ``[runs of the cell]``, for each cell of the grid in C order; none is empty.
        seeds: the seed of each of these runs, likewise.
        shape: the number of levels of each factor.

    Returns:
        A share for every set of factors (by position); NaN where no cell has two runs, so that noise is unknown. Cells
        of a single run count with the noise of the others.
    """
    several = [len(cell) > 1 for cell in cells]
    axes = range(len(shape))
    terms = [term for size in range(1, len(shape) + 1) for term in combinations(axes, size)]
    if not any(several):
        return dict.fromkeys(terms, float("nan"))
    known, codes = np.unique(np.concatenate(list(seeds)), return_inverse=True)
    # How each seed moves the mean of each cell, scaled to the variance of that mean where runs are independent.
    moves = np.zeros((len(known), len(cells)))
    start = 0
    for place, cell in enumerate(cells):
        of_cell = codes[start : start + len(cell)]
        start += len(cell)
        if len(cell) > 1:
            np.add.at(moves[:, place], of_cell, (cell - cell.mean()) / np.sqrt(len(cell) * (len(cell) - 1)))
    moves *= np.sqrt(len(cells) / sum(several))
    means = np.array([cell.mean() for cell in cells])
    total = float(means.var() + np.mean([cell.var() for cell in cells]))
    grid = moves.reshape(len(known), *shape)
    components: dict[Term, np.ndarray] = {(): grid.mean(axis=tuple(axis + 1 for axis in axes), keepdims=True)}
    by_chance: dict[Term, float] = {}
    for term in terms:
        marginal = grid.mean(axis=tuple(axis + 1 for axis in axes if axis not in term), keepdims=True)
        smaller = [part for count in range(len(term)) for part in combinations(term, count)]
        components[term] = marginal - sum((components[part] for part in smaller), np.zeros(()))
        expected = float((components[term] ** 2).reshape(len(known), -1).mean(axis=1).sum())
        by_chance[term] = expected / total if total > 0 else 0.0
    return by_chance
