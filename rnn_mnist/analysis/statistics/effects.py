"""The effect of every level of every factor against a reference, with what is needed not to be fooled by it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, Literal

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from rnn_mnist.analysis.reading.factors import FactorError, find_factors, levels_of
from rnn_mnist.analysis.reading.levels import format_level, plain
from rnn_mnist.analysis.reading.results import check_metric
from rnn_mnist.analysis.statistics.comparison import Comparison, compare, wilson_interval
from rnn_mnist.analysis.statistics.inert import PredictionBytes, changes_of, independent_runs, with_inert_cells
from rnn_mnist.analysis.statistics.power import Method
from rnn_mnist.analysis.statistics.summary import group_by_levels
from rnn_mnist.analysis.statistics.verdict import Verdict, find_verdict
from rnn_mnist.catalogues.data_sets import find_data_set
from rnn_mnist.configuration.schema import declared
from rnn_mnist.runs.record import State

COLUMNS = (
    "factor",
    "level",
    "reference",
    "context",
    *(field.name for field in fields(Comparison) if field.name not in ("method", "p_value")),
    "failed",
    "failed_reference",
    "p_value",
    "p_holm",
    "method",
    "wilson_low",
    "wilson_high",
    "verdict",
    "reason",
)


def effects(
    runs: pd.DataFrame,
    factors: Sequence[str] | None = None,
    references: Mapping[str, Any] | None = None,
    metric: str = "test_accuracy",
    method: Method | Literal["auto"] = "auto",
    *,
    confidence: float = 0.95,
    pool: bool = False,
) -> pd.DataFrame:
    """One row for each level of each factor against the factor's reference, at each combination of the other factors.

    Args:
        runs: as :func:`rnn_mnist.analysis.reading.results.load_runs` returns them. Copies that factors without
            any effect make count once.
        factors: those to report; None for all. All rows together are the family that p-values are corrected over.
        references: the reference level of a factor; by default its first level.
        metric: a numeric column; all columns but counts and probabilities have its unit.
        method: ``welch``; ``paired`` by shared seeds; ``auto`` pairs exactly where a shared seed shares noise
            (:func:`shares_noise`), which is decided by the factor and never by what was observed.
        confidence: of the intervals, each for its one comparison.
        pool: compare over all levels of the other factors at once, for designs that are no grid; the other factors are
            then part of the noise, and tests are Welch's.

    Returns:
        :data:`COLUMNS`: those of :class:`rnn_mnist.analysis.statistics.comparison.Comparison`; ``context``, the other
        factors and their levels as a tuple of pairs; ``failed`` and ``failed_reference``, runs that ended without a
        result and are in no mean; ``p_holm``, corrected by Holm's method; ``wilson_low`` and ``wilson_high``, what the
        finite number of test images leaves open about one run of the level (test accuracy only); ``verdict``
        (:class:`rnn_mnist.analysis.statistics.verdict.Verdict`); and ``reason``, why a factor is inert, else empty.

    Raises:
        ResultsError: if no run is completed or there is no such metric.
        FactorError: if a factor, or a reference, is not there, or ``paired`` does not apply.
    """
    check_metric(runs, metric)
    measured = (runs["status"] == State.completed) & runs[metric].notna()
    runs = runs[measured | (runs["status"] == State.failed)]
    chosen = list(find_factors(runs) if factors is None else factors)
    predictions = PredictionBytes()
    independent, copying = independent_runs(runs)
    rows: list[dict[str, Any]] = []
    for factor in chosen:
        reference = _reference(runs, factor, references or {})
        chosen_method = _method(factor, method, pool=pool)
        # The factor in question stays even if it does nothing: that is then its answer.
        usable = runs if factor in copying else independent
        others = [other for other in find_factors(usable) if other != factor]
        groups = [({}, usable)] if pool else group_by_levels(with_inert_cells(usable), others)
        for context, group in groups:
            rows += _rows(group, factor, reference, context, metric, chosen_method, confidence, predictions)
    for row, corrected in zip(rows, holm(np.array([row["p_value"] for row in rows], float)), strict=True):
        row["p_holm"] = corrected
        row["verdict"] = row["verdict"] or find_verdict(row)
    objects = ("level", "reference", "context", "method", "verdict", "reason")
    table = pd.DataFrame(
        {name: pd.Series([row[name] for row in rows], dtype=object if name in objects else None) for name in COLUMNS}
    )
    table.attrs = {"metric": metric, "confidence": confidence, "family": int(table["p_holm"].notna().sum())}
    return table


def shares_noise(factor: str) -> bool:
    """Whether runs with one seed and different levels of the factor have shapes, first weights and data order alike."""
    about = declared(factor)
    return about is not None and about.declared.shares_noise


def holm(p_values: np.ndarray) -> np.ndarray:
    """P-values ``[comparison]`` corrected by Holm's method over those that are not NaN, which stay so."""
    corrected = np.full(len(p_values), np.nan)
    tested = ~np.isnan(p_values)
    if tested.any():
        corrected[tested] = multipletests(p_values[tested], method="holm")[1]
    return corrected


def _reference(runs: pd.DataFrame, factor: str, references: Mapping[str, Any]) -> Any:
    if factor not in runs.columns:
        raise FactorError(f"{factor}: no such factor; what varies: {', '.join(find_factors(runs)) or 'none'}")
    levels = levels_of(runs, factor)
    if factor not in references:
        return levels[0]
    wanted = plain(references[factor])
    for level in levels:
        if level == wanted or format_level(level) == format_level(wanted):
            return level
    there = ", ".join(format_level(level) for level in levels)
    raise FactorError(f"{factor}={format_level(wanted)}: no completed run has it; there are {there}")


def _method(factor: str, asked: Method | Literal["auto"], *, pool: bool) -> Method:
    if asked == Method.paired and (pool or not shares_noise(factor)):
        reason = "runs are pooled" if pool else "a seed shares neither shapes nor data order between its levels"
        raise FactorError(f"{factor}: cannot be compared pair by pair: {reason}; use welch")
    return Method.paired if asked != Method.welch and not pool and shares_noise(factor) else Method.welch


def _rows(
    runs: pd.DataFrame,
    factor: str,
    reference: Any,
    context: Mapping[str, Any],
    metric: str,
    method: Method,
    confidence: float,
    predictions: PredictionBytes,
) -> list[dict[str, Any]]:
    by_level = {levels[factor]: group for levels, group in group_by_levels(runs, [factor])}
    if reference not in by_level:
        return []
    base = by_level.pop(reference)
    rows = []
    for level, group in by_level.items():
        one, other = (half[half["status"] == State.completed].set_index("seed") for half in (group, base))
        stated = _certain(one, other, predictions)
        if method == Method.paired:
            shared = one.index.intersection(other.index)
            one, other = one.loc[shared], other.loc[shared]
        outcome = compare(one[metric].to_numpy(float), other[metric].to_numpy(float), method, confidence)
        low, high = math.nan, math.nan
        if metric == "test_accuracy" and group["data.name"].nunique() == 1:
            counts = find_data_set(group["data.name"].iloc[0]).counts
            low, high = wilson_interval(outcome.mean, counts[1], confidence) if counts else (math.nan, math.nan)
        rows.append(
            {
                "factor": factor,
                "level": level,
                "reference": reference,
                "context": tuple(context.items()),
                **asdict(outcome),
                "failed": int((group["status"] == State.failed).sum()),
                "failed_reference": int((base["status"] == State.failed).sum()),
                **({"p_value": math.nan, "minimum_detectable": math.nan} if stated else {}),
                "wilson_low": low,
                "wilson_high": high,
                "verdict": stated,
                "reason": _inert_reason(group, factor) if stated is Verdict.inert else "",
            }
        )
    return rows


def _certain(level: pd.DataFrame, reference: pd.DataFrame, predictions: PredictionBytes) -> Verdict | None:
    """What needs no statistics: the runs are the same, or predict the same."""
    shared = level.index.intersection(reference.index)
    if shared.empty or not (level.index.is_unique and reference.index.is_unique):
        return None
    ones, others = level.loc[shared, "directory"], reference.loc[shared, "directory"]
    if (ones == others).all():
        return Verdict.inert
    same = all(predictions.same(one, other) for one, other in zip(ones, others, strict=True))
    return Verdict.identical if same else None


def _inert_reason(runs: pd.DataFrame, factor: str) -> str:
    return "; ".join(dict.fromkeys(change.reason for change in changes_of(runs, factor)))
