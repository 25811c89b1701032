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
from rnn_mnist.analysis.reading.outcomes import diverged_runs
from rnn_mnist.analysis.reading.results import check_metric, completed
from rnn_mnist.analysis.statistics.additive_design import make_design
from rnn_mnist.analysis.statistics.inert import independent_runs
from rnn_mnist.analysis.statistics.least_squares import LeastSquares, draw_folds, held_out_errors
from rnn_mnist.analysis.statistics.lost_runs import collapsed_runs, where_they_lie
from rnn_mnist.analysis.statistics.partial_effect import PartialEffect, partial_effect
from rnn_mnist.analysis.statistics.reference import reference_level
from rnn_mnist.analysis.statistics.simultaneous import holm
from rnn_mnist.catalogues.metrics import Metric


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
        collapsed: directories of runs that ended and fell far short of all others; they are in no curve either.
        failures: lines on where both lie; empty where there are none.
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
    collapsed: tuple[str, ...]
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
    from the number of settings alone, never from the values. Errors allow for unequal noise and for runs that share a
    setting or a seed (:class:`~rnn_mnist.analysis.statistics.dependence.Dependence`). Runs that fell far short of all
    others are told apart (:func:`~rnn_mnist.analysis.statistics.lost_runs.collapsed_runs`) and not fitted.

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
    judged = check_metric(runs, metric)
    usable, copying = independent_runs(runs)
    diverged = diverged_runs(usable)
    finished = completed(usable)
    finished = finished[finished[metric].notna()]
    notes = [f"{key}: no effect: identical predictions" for key in copying]
    chosen = _factors(finished, factors, copying)
    design = make_design(finished, chosen)
    far = collapsed_runs(design.matrix, finished[metric].to_numpy(float), higher_is_better=judged.higher_is_better)
    collapsed = pd.Series(far, index=finished.index)
    ended = usable[diverged | usable.index.isin(finished.index)]
    failures = where_they_lie(ended, diverged.loc[ended.index], chosen, "diverged")
    failures += where_they_lie(
        finished,
        collapsed,
        chosen,
        f"fell far short of all others ({_reached(finished[far], judged)}) and are not fitted",
    )
    directories = tuple(str(directory) for directory in finished.loc[collapsed, "directory"])
    if far.any():
        finished = finished[~far]
        design = make_design(finished, _factors(finished, factors, copying))
    values = finished[metric].to_numpy(float)
    fitted = design.dependence.fit(design.matrix, values)
    folds = draw_folds(design.dependence.settings, seed)
    errors, total = (held_out_errors(columns, values, folds) for columns in (design.matrix, design.nothing))
    fits = [
        design.dependence.fit_of(term, design.terms, design.places[term.factor], fitted, design.matrix)
        for term in design.terms
    ]
    p_values = [fit.joint_p_value(design.places[term.factor]) for term, fit in zip(design.terms, fits, strict=True)]
    held_out = 1 - float(errors.sum() / total.sum()) if total.sum() > 0 else 0.0
    lost = [
        _difference_of_errors(
            held_out_errors(design.without(term), values, folds), errors, total, design.dependence.settings
        )
        for term in design.terms
    ]
    against = {
        term.factor: reference_level(finished, term.factor, references or {})
        for term in design.terms
        if term.trend is None
    }
    effects = [
        partial_effect(
            term, fit, design.places[term.factor], float(values.mean()), p_values=(p_value, adjusted),
            importance=importance, reference=against.get(term.factor),
            confidence=confidence, seed=seed,
        )
        for term, fit, p_value, adjusted, importance in zip(
            design.terms, fits, p_values, holm(np.array(p_values)).tolist(), _as_parts(lost, held_out), strict=True
        )
    ]  # fmt: skip
    return AdditiveFit(
        metric=metric,
        effects=tuple(effects),
        runs=len(values),
        settings=design.dependence.setting_count,
        seeds=design.dependence.seed_count,
        mean=float(values.mean()),
        held_out=held_out,
        residual=_residual(fitted, design.matrix),
        confidence=confidence,
        method=f"additive regression on splines, {design.dependence.words}",
        diverged=int(diverged.sum()),
        collapsed=directories,
        failures=tuple(failures),
        notes=(*notes, *design.notes),
    )


def _factors(runs: pd.DataFrame, asked: Sequence[str] | None, copying: Sequence[str]) -> list[str]:
    """Those that vary among these runs and could do something."""
    chosen = [key for key in find_factors(runs) if (asked is None or key in asked) and key not in copying]
    if not chosen:
        without = f" but {', '.join(copying)}, without effect" if copying else ""
        raise FactorError(f"nothing to fit: no factor varies among the completed runs{without}")
    return chosen


def _reached(runs: pd.DataFrame, metric: Metric) -> str:
    if runs.empty:
        return ""
    low, high = metric.number(runs[metric.key].min()), metric.text(runs[metric.key].max())
    return high if len(runs) == 1 else f"{low} to {high}"


def _difference_of_errors(
    without: np.ndarray, errors: np.ndarray, total: np.ndarray, settings: np.ndarray
) -> tuple[float, float]:
    """The share of the held-out variance that is lost without a factor, and its standard error over the settings."""
    whole = float(total.mean(axis=0).sum())
    if whole <= 0:
        return 0.0, 0.0
    lost = np.bincount(settings, weights=(without - errors).mean(axis=0))
    return float(lost.sum() / whole), float(lost.std(ddof=1) * math.sqrt(len(lost)) / whole)


def _as_parts(lost: Sequence[tuple[float, float]], whole: float) -> list[tuple[float, float]]:
    """The losses, scaled down where those above 0 come to more than all factors explain together."""
    scale = min(1.0, max(0.0, whole) / (math.fsum(max(0.0, loss) for loss, _ in lost) or 1.0))
    return [(loss * scale if loss > 0 else loss, error * scale) for loss, error in lost]


def _residual(fitted: LeastSquares, design: np.ndarray) -> float:
    left = len(design) - design.shape[1]
    return math.sqrt(float(fitted.residuals @ fitted.residuals) / left) if left > 0 else math.nan
