"""The columns of an additive regression: from a table of runs to a matrix, and what cannot be in it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnn_mnist.analysis.reading.factors import FactorError
from rnn_mnist.analysis.statistics.additive_terms import (
    MOST_DEGREES,
    Term,
    categorical_term,
    is_numeric,
    numeric_term,
)
from rnn_mnist.analysis.statistics.dependence import Dependence
from rnn_mnist.analysis.statistics.inert import changes_of, inert_runs

RUNS_A_COEFFICIENT = 5
"""Settings for each coefficient of the regression, as far as the factors leave a choice."""
FEWEST_A_COEFFICIENT = 2.5
"""The same where that would leave straight lines alone."""


@dataclass(frozen=True)
class Design:
    """The columns of a regression.

    Attributes:
        matrix: ``[run, column]`` of full rank: 1, what the runs of a seed have in common, and each factor's.
        terms: the factors that have columns.
        places: which columns are each factor's.
        dependence: which runs depend on one another.
        notes: lines on single factors that a reader has to know.
    """

    matrix: np.ndarray
    terms: tuple[Term, ...]
    places: dict[str, slice]
    dependence: Dependence
    notes: tuple[str, ...]

    @property
    def nothing(self) -> np.ndarray:
        """The columns that are no factor's, ``[run, column]``."""
        without: np.ndarray = self.matrix[:, : 1 + self.dependence.nuisance.shape[1]]
        return without

    def without(self, term: Term) -> np.ndarray:
        """The columns that are not this factor's, ``[run, column]``."""
        return np.delete(self.matrix, self.places[term.factor], axis=1)


def make_design(runs: pd.DataFrame, factors: Sequence[str]) -> Design:
    """The columns for these runs, all of which have a value.

    Raises:
        FactorError: if there are too few settings for so many factors.
    """
    dependence = Dependence(*(pd.factorize(runs[column])[0] for column in ("setting_id", "seed")))
    terms = _terms(runs, factors, dependence.setting_count)
    matrix, places, together = _columns(terms, dependence.nuisance)
    kept = tuple(term for term in terms if term.factor in places)
    return Design(matrix, kept, places, dependence, tuple(_notes(runs, terms, together, dependence)))


def _terms(runs: pd.DataFrame, factors: Sequence[str], settings: int) -> list[Term]:
    inert = inert_runs(runs)
    acts = {key: ~inert[key].to_numpy(bool) if key in inert else np.ones(len(runs), dtype=bool) for key in factors}
    numeric = [key for key in factors if is_numeric(list(runs[key][acts[key]]))]
    categorical = {key: categorical_term(key, list(runs[key]), acts[key]) for key in factors if key not in numeric}
    fixed = 1 + sum(term.size for term in categorical.values())
    fewest = 2 * (fixed + len(numeric))
    if settings < fewest:
        raise FactorError(
            f"too few settings for a regression on {len(factors)} factors: {settings} have a completed run, and it "
            f"takes {fewest}: {', '.join(factors)}"
        )
    degrees = (settings // RUNS_A_COEFFICIENT - fixed) // max(1, len(numeric))
    # A bend at least, if it can be had: of a learning rate the best lies in the middle.
    bent = settings >= FEWEST_A_COEFFICIENT * (fixed + 2 * len(numeric))
    degrees = min(max(degrees, 2 if bent else 1), MOST_DEGREES)
    return [
        categorical[key] if key in categorical else numeric_term(key, list(runs[key]), acts[key], degrees)
        for key in factors
    ]


def _columns(
    terms: Sequence[Term], nuisance: np.ndarray
) -> tuple[np.ndarray, dict[str, slice], dict[str, tuple[str, ...]]]:
    """The columns of the regression, which are each factor's, and the factors that add nothing to the others."""
    design = np.hstack([np.ones((len(nuisance), 1)), nuisance])
    places: dict[str, slice] = {}
    told: dict[str, tuple[str, ...]] = {}
    for term in terms:
        wider = np.hstack([design, term.columns])
        if term.size and np.linalg.matrix_rank(wider, tol=1e-6 * math.sqrt(len(wider))) == wider.shape[1]:
            places[term.factor] = slice(design.shape[1], wider.shape[1])
            design = wider
        else:
            told[term.factor] = tuple(places)
    return design, places, told


def _notes(
    runs: pd.DataFrame, terms: Sequence[Term], together: dict[str, tuple[str, ...]], dependence: Dependence
) -> list[str]:
    """What a reader has to know of single factors."""
    notes = [f"{key}: varies together with {', '.join(others)}: not told apart" for key, others in together.items()]
    for term in terms:
        acts = ~np.isnan(term.places)
        if not acts.all():
            causes = dict.fromkeys(f"none with {change.causes()}" for change in changes_of(runs[~acts], term.factor))
            why = "; ".join(causes) or "null in the others"
            notes.append(f"{term.factor}: acts in {acts.sum()} of {len(runs)} runs ({why})")
        if dependence.seed_count == 1 and dependence.shares_noise_within(term, terms):
            notes.append(f"{term.factor}: one seed alone, so that its noise may pass for an effect of a level")
    return notes
