"""Which runs of a regression depend on one another, and the errors that allow for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnn_mnist.analysis.statistics.additive_terms import Term
from rnn_mnist.analysis.statistics.least_squares import LeastSquares, fit
from rnn_mnist.configuration.schema import declared

FEWEST_SEEDS = 8
"""Repeated seeds from which on the errors of all factors are taken by seed: with few, such errors are very wide."""


@dataclass(frozen=True)
class Dependence:
    """How runs depend on one another.

    Runs of one setting have in common what the regression does not describe, and runs of one seed their noise: all of
    them a part, and those whose shapes are equal nearly all of it (weights and order of the images).

    Attributes:
        settings, seeds: codes ``[run]`` from 0.
    """

    settings: np.ndarray
    seeds: np.ndarray

    @property
    def setting_count(self) -> int:
        """Different settings."""
        return int(self.settings.max()) + 1

    @property
    def seed_count(self) -> int:
        """Different seeds."""
        return int(self.seeds.max()) + 1

    @property
    def _few_seeds(self) -> bool:
        return 1 < self.seed_count < min(FEWEST_SEEDS, len(self.seeds))

    @property
    def _many_seeds(self) -> bool:
        return FEWEST_SEEDS <= self.seed_count < len(self.seeds)

    @property
    def nuisance(self) -> np.ndarray:
        """A column for what the runs of each seed have in common, where few seeds repeat, ``[run, column]``."""
        if not self._few_seeds:
            return np.zeros((len(self.seeds), 0))
        common = np.eye(self.seed_count)[self.seeds][:, 1:]
        columns: np.ndarray = common - common.mean(axis=0)
        return columns

    @property
    def words(self) -> str:
        """How errors are taken."""
        by_setting = self.setting_count < len(self.settings)
        if self._many_seeds:
            return "errors by seed and setting (CV3)" if by_setting else "errors by seed (CV3)"
        errors = "errors by setting (CV3)" if by_setting else "robust errors (HC3)"
        return f"a common part a seed, {errors}" if self._few_seeds else errors

    def fit(self, design: np.ndarray, values: np.ndarray) -> LeastSquares:
        """Fit ``values`` ``[run]`` to the columns of ``design`` ``[run, column]``."""
        if not self._many_seeds:
            return fit(design, values, [self.settings], None)
        by_setting = self.setting_count < len(self.settings)
        groups = [self.seeds, self.settings] if by_setting else [self.seeds]
        return fit(design, values, groups, self.seed_count)

    def fit_of(
        self, term: Term, terms: Sequence[Term], columns: slice, fitted: LeastSquares, design: np.ndarray
    ) -> LeastSquares:
        """The fit with the errors of one of the terms, given that of all.

        Where few seeds repeat and runs of a seed have equal shapes, they share noise that goes with the levels which
        decide the shapes. Errors by seed hold it, those by setting what the regression does not describe: the wider
        ones are taken. (By setting alone, a number of layers without effect was found in 61 % of searches of 30
        settings on three seeds, and in 73 % on five, at a correlation of .65.)
        """
        if not (self._few_seeds and self.shares_noise_within(term, terms)):
            return fitted
        values = design @ fitted.coefficients + fitted.residuals
        by_seed = fit(design, values, [self.seeds], self.seed_count)
        narrower = by_seed.joint_p_value(columns) < fitted.joint_p_value(columns)  # not where NaN
        return fitted if narrower else by_seed

    def shares_noise_within(self, term: Term, terms: Sequence[Term]) -> bool:
        """Whether runs of one level share noise that runs of another level do not.

        That is so where the factor decides noise (by the shapes of the weights, say), and most runs have another run of
        their seed with the same levels of all factors that do.
        """
        if not _decides_noise(term):
            return False
        places = [np.nan_to_num(each.places, nan=-1.0) for each in terms if _decides_noise(each)]
        _, cells, counts = np.unique(np.stack([*places, self.seeds]), axis=1, return_inverse=True, return_counts=True)
        return bool((counts[cells.ravel()] > 1).mean() > 0.5)


def _decides_noise(term: Term) -> bool:
    about = declared(term.factor)
    return about is None or not about.declared.shares_noise
