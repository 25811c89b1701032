"""What each factor of a random search does: an additive regression on splines and categories.

A random search has no two runs that differ in one factor alone, so that no difference of levels can be taken. The
metric is described as a sum of one curve a factor instead; interactions of factors are part of what is left over.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnn_mnist.analysis.reading.factors import FactorError, find_factors
from rnn_mnist.analysis.reading.results import check_metric, completed
from rnn_mnist.analysis.statistics.additive_terms import (
    MOST_DEGREES,
    Term,
    categorical_term,
    is_numeric,
    numeric_term,
)
from rnn_mnist.analysis.statistics.dependence import Dependence
from rnn_mnist.analysis.statistics.diverged import diverged_runs, where_diverged
from rnn_mnist.analysis.statistics.inert import changes_of, independent_runs, inert_runs
from rnn_mnist.analysis.statistics.least_squares import LeastSquares, draw_folds, held_out_errors
from rnn_mnist.analysis.statistics.partial_effect import PartialEffect, partial_effect

RUNS_A_COEFFICIENT = 5
"""Settings for each coefficient of the regression, as far as the factors leave a choice."""


@dataclass(frozen=True)
class AdditiveFit:
    """An additive regression of a metric on the factors of a sweep.

    Attributes:
        metric: the column.
        effects: what each factor does, in config order.
        runs, settings, seeds: numbers of completed runs that were fitted, and of different settings and seeds in them.
        mean: of the metric over the runs.
        held_out: share of the variance of runs that were held out which the factors together predict; below 0 where
            the mean predicts better.
        residual: standard deviation of what is left, in the metric's unit.
        confidence: of all intervals and bands.
        method: how, in words.
        diverged: number of runs that diverged; they have no value and are in no curve.
        failures: lines on where they lie; empty where none diverged.
        notes: lines on what was left out, or cannot be told apart.
    """

    metric: str
    effects: tuple[PartialEffect, ...]
    runs: int
    settings: int
    seeds: int
    mean: float
    held_out: float
    residual: float
    confidence: float
    method: str
    diverged: int
    failures: tuple[str, ...]
    notes: tuple[str, ...]


def additive_regression(
    runs: pd.DataFrame,
    factors: Sequence[str] | None = None,
    metric: str = "test_accuracy",
    *,
    references: Mapping[str, Any] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> AdditiveFit:
    """Fit the metric as a sum of one curve a number and one value a category.

    Numbers are natural cubic splines, along their logarithm where the key is declared so. How bent they may be follows
    from the number of settings alone (:data:`RUNS_A_COEFFICIENT`), never from the values. Errors allow for unequal
    noise and for runs that share a setting or a seed (:class:`~rnn_mnist.analysis.statistics.dependence.Dependence`).

    Args:
        runs: as :func:`rnn_mnist.analysis.reading.results.load_runs` returns them. Copies that factors without any
            effect make count once.
        factors: those to fit; None for all. What the others do is then noise.
        metric: a numeric column.
        references: the level of a category that its others are compared with; by default the configuration's default.
        confidence: of intervals and bands, between 0 and 1.
        seed: of the division into folds, and of the draws behind the bands.

    Raises:
        ResultsError: if no run is completed or there is no such metric.
        FactorError: if nothing varies among the completed runs, or they are too few for so many factors.
    """
    check_metric(runs, metric)
    usable, copying = independent_runs(runs)
    finished = completed(usable)
    finished = finished[finished[metric].notna()]
    chosen = [key for key in find_factors(finished) if (factors is None or key in factors) and key not in copying]
    notes = [f"{key}: no effect: identical predictions" for key in copying]
    if not chosen:
        raise FactorError(f"nothing to fit: {'; '.join(notes) or 'no factor varies among the completed runs'}")
    dependence = Dependence(*(pd.factorize(finished[column])[0] for column in ("setting_id", "seed")))
    terms = _terms(finished, chosen, dependence.setting_count, metric)
    design, places, together = _design(terms, dependence.nuisance)
    notes += _notes(finished, terms, together, dependence)
    values = finished[metric].to_numpy(float)
    fitted = dependence.fit(design, values)
    folds = draw_folds(dependence.settings, seed)
    errors = held_out_errors(design, values, folds)
    total = held_out_errors(design[:, : 1 + dependence.nuisance.shape[1]], values, folds)
    kept = [term for term in terms if term.factor in places]
    fits = [dependence.fit_of(term, terms, places[term.factor], fitted, design) for term in kept]
    p_values = [of_term.joint_p_value(places[term.factor]) for term, of_term in zip(kept, fits, strict=True)]
    effects = []
    for term, of_term, p_value, adjusted in zip(kept, fits, p_values, _holm(p_values), strict=True):
        columns = places[term.factor]
        without = held_out_errors(np.delete(design, columns, axis=1), values, folds)
        importance = _difference_of_errors(without, errors, total, dependence.settings)
        effects.append(
            partial_effect(
                term, of_term, columns, float(values.mean()), p_values=(p_value, adjusted), importance=importance,
                reference=(references or {}).get(term.factor), confidence=confidence, seed=seed,
            )
        )  # fmt: skip
    return AdditiveFit(
        metric=metric,
        effects=tuple(effects),
        runs=len(values),
        settings=dependence.setting_count,
        seeds=dependence.seed_count,
        mean=float(values.mean()),
        held_out=1 - float(errors.sum() / total.sum()) if total.sum() > 0 else 0.0,
        residual=_residual(fitted, design),
        confidence=confidence,
        method=f"additive regression on splines, {dependence.words}",
        diverged=int(diverged_runs(usable).sum()),
        failures=tuple(where_diverged(usable, chosen)),
        notes=tuple(notes),
    )


def _terms(runs: pd.DataFrame, factors: Sequence[str], settings: int, metric: str) -> list[Term]:
    inert = inert_runs(runs)
    acts = {key: ~inert[key].to_numpy(bool) if key in inert else np.ones(len(runs), dtype=bool) for key in factors}
    numeric = [key for key in factors if is_numeric(list(runs[key][acts[key]]))]
    categorical = {key: categorical_term(key, list(runs[key]), acts[key]) for key in factors if key not in numeric}
    fixed = 1 + sum(term.size for term in categorical.values())
    fewest = 2 * (fixed + len(numeric))
    if settings < fewest:
        raise FactorError(
            f"{metric}: too few settings for a regression on {len(factors)} factors: {settings} have a completed run, "
            f"and it takes {fewest}"
        )
    degrees = (settings // RUNS_A_COEFFICIENT - fixed) // max(1, len(numeric))
    degrees = min(max(degrees, 1), MOST_DEGREES)
    return [
        categorical[key] if key in categorical else numeric_term(key, list(runs[key]), acts[key], degrees)
        for key in factors
    ]


def _design(
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


def _difference_of_errors(
    without: np.ndarray, errors: np.ndarray, total: np.ndarray, settings: np.ndarray
) -> tuple[float, float]:
    """The share of the held-out variance that is lost without a factor, and its standard error over the settings."""
    whole = float(total.mean(axis=0).sum())
    if whole <= 0:
        return 0.0, 0.0
    lost = np.bincount(settings, weights=(without - errors).mean(axis=0))
    return float(lost.sum() / whole), float(lost.std(ddof=1) * math.sqrt(len(lost)) / whole)


def _residual(fitted: LeastSquares, design: np.ndarray) -> float:
    left = len(design) - design.shape[1]
    return math.sqrt(float(fitted.residuals @ fitted.residuals) / left) if left > 0 else math.nan


def _holm(p_values: Sequence[float]) -> list[float]:
    """Corrected by Holm's method over those that are not NaN, which stay so."""
    values = np.array(p_values, dtype=float)
    tested = np.flatnonzero(~np.isnan(values))
    ordered = tested[np.argsort(values[tested])]
    corrected = values.copy()
    corrected[ordered] = np.maximum.accumulate(values[ordered] * np.arange(len(ordered), 0, -1)).clip(max=1.0)
    return [float(value) for value in corrected]
