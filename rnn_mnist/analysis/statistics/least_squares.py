"""Least squares whose errors need neither equal noise nor independent runs, and how well it predicts runs held out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

FOLDS = 10
REPEATS = 20


@dataclass(frozen=True)
class LeastSquares:
    """A fitted regression.

    Attributes:
        coefficients: ``[column]``.
        residuals: ``[run]``.
        covariance: of the coefficients ``[column, column]``.
        degrees: of freedom of a t-test of a coefficient.
        clusters: the number of clusters where those are few and the covariance rests on their number; else None.
    """

    coefficients: np.ndarray
    residuals: np.ndarray
    covariance: np.ndarray
    degrees: float
    clusters: int | None

    def joint_p_value(self, columns: slice) -> float:
        """That all of these coefficients are 0: Wald's statistic as an F.

        With few clusters it is Hotelling's, whose degrees of freedom are one fewer for each further column; NaN where
        there are then none left.
        """
        values, covariance = self.coefficients[columns], self.covariance[columns, columns]
        size = len(values)
        wald = float(values @ np.linalg.pinv(covariance, hermitian=True) @ values)
        left = self.degrees - size + 1
        if left < 1:
            return float("nan")
        scale = left / self.degrees if self.clusters is not None else 1.0
        return float(stats.f.sf(wald * scale / size, size, left if self.clusters is not None else self.degrees))


def fit(design: np.ndarray, values: np.ndarray, groups: Sequence[np.ndarray], clusters: int | None) -> LeastSquares:
    """Ordinary least squares with jackknife errors.

    Args:
        design: ``[run, column]`` of full rank.
        values: ``[run]``.
        groups: one or two groupings of the runs ``[run]``, as codes from 0. Runs of a group may depend on one another.
            One run a group gives HC3 (MacKinnon and White 1985), larger groups CV3 (Bell and McCaffrey 2002: the
            jackknife over clusters, which MacKinnon, Nielsen and Webb 2023 recommend). Two groupings are combined as
            by Cameron, Gelbach and Miller (2011), by the sum alone where that leaves no covariance.
        clusters: the number of groups that t counts with; None to count with runs, or groups, less columns.
    """
    inverse = np.linalg.pinv(design.T @ design, hermitian=True)
    coefficients = inverse @ (design.T @ values)
    residuals = values - design @ coefficients
    covariances = [_jackknife(design, residuals, group) for group in groups]
    covariance = sum(covariances, np.zeros_like(inverse))
    if len(groups) > 1:
        less = covariance - _jackknife(design, residuals, np.arange(len(values)))
        covariance = less if np.linalg.eigvalsh(less)[0] > 0 else covariance
    fewest = min(int(group.max()) + 1 for group in groups)
    degrees = fewest - design.shape[1] if clusters is None else clusters - 1
    return LeastSquares(coefficients, residuals, covariance, float(degrees), clusters)


def _jackknife(design: np.ndarray, residuals: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The covariance of the coefficients from how each group's absence moves them."""
    count = int(groups.max()) + 1
    size = design.shape[1]
    if count == len(residuals):  # the same in closed form
        inverse = np.linalg.pinv(design.T @ design, hermitian=True)
        left = 1 - np.einsum("ri,ij,rj->r", design, inverse, design)
        # A run that alone has a column is fitted exactly, and its absence moves nothing else.
        weights = np.divide(residuals, left, out=np.zeros_like(left), where=left > 1e-9)
        single: np.ndarray = inverse @ (design.T * weights**2 @ design) @ inverse
        return single
    grams, scores = np.zeros((count, size, size)), np.zeros((count, size))
    np.add.at(grams, groups, design[:, :, None] * design[:, None, :])
    np.add.at(scores, groups, design * residuals[:, None])
    without = np.linalg.pinv(design.T @ design - grams, hermitian=True)
    moves = np.einsum("gij,gj->gi", without, scores)
    covariance: np.ndarray = moves.T @ moves
    return covariance


def held_out_errors(design: np.ndarray, values: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Squared errors ``[repeat, run]`` of runs that the regression was not fitted to.

    Args:
        design: ``[run, column]``.
        values: ``[run]``.
        folds: the fold of each run in each repeat, ``[repeat, run]``.
    """
    # About the mean, so that a level that no fitted run has is predicted as the others are.
    values = values - values.mean()
    gram, moment = design.T @ design, design.T @ values
    errors = np.empty(folds.shape)
    for repeat, fold in enumerate(folds):
        count, size = int(fold.max()) + 1, design.shape[1]
        grams, moments = np.empty((count, size, size)), np.empty((count, size))
        for number in range(count):
            part, reached = design[fold == number], values[fold == number]
            grams[number], moments[number] = part.T @ part, part.T @ reached
        coefficients = np.einsum("fij,fj->fi", np.linalg.pinv(gram - grams, hermitian=True), moment - moments)
        errors[repeat] = (values - np.einsum("rj,rj->r", design, coefficients[fold])) ** 2
    return errors


def draw_folds(groups: np.ndarray, seed: int, folds: int = FOLDS, repeats: int = REPEATS) -> np.ndarray:
    """Random folds of nearly equal numbers of groups, ``[repeat, run]``; runs of a group stay together.

    Args:
        groups: ``[run]``, codes from 0.
        seed: of the draw.
        folds: fewer are made where there are fewer groups.
        repeats: how many divisions.
    """
    random = np.random.default_rng(seed)
    count = int(groups.max()) + 1
    base = np.arange(count) % min(folds, count)
    return np.stack([random.permutation(base)[groups] for _ in range(repeats)])
