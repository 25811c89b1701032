"""Contrasts of one factor that come to the same, in one clause."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rnn_mnist.analysis.reading.levels import format_level, format_levels
from rnn_mnist.analysis.statistics.verdict import Reason, Verdict, bare, notes, reason_text, without_factor
from rnn_mnist.catalogues.metrics import Metric

FEWEST_TOGETHER = 3
_ONE_BY_ONE = (Reason.diverges, Reason.all_diverged)

Row = Mapping[str, Any]


def clauses(rows: Sequence[Row], metric: Metric, margin: float | None, among: tuple[str, ...]) -> list[str]:
    """What the rows say, those that are of one verdict against one reference together if there are three or more.

    The order is that of the rows. See :func:`rnn_mnist.analysis.statistics.verdict.sentence`.
    """
    groups: dict[Any, list[Row]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(place if row["reason"] in _ONE_BY_ONE else _alike(row, among), []).append(row)
    texts = []
    for group in groups.values():
        if len(group) < FEWEST_TOGETHER:
            texts += [without_factor(row, metric, margin, among) for row in group]
        else:
            texts.append("; ".join([_several(group, metric, margin, among), *notes(group[0], among)]))
    return texts


def _alike(row: Row, among: tuple[str, ...]) -> tuple[Any, ...]:
    # An undecided contrast says as little at one level of another factor as at the next.
    at = () if row["verdict"] is Verdict.undecided else row["at"]
    reason = None if row["reason"] is None else reason_text(row)
    return row["verdict"], format_level(row["reference"]), at, reason, tuple(notes(row, among))


def _several(rows: Sequence[Row], metric: Metric, margin: float | None, among: tuple[str, ...]) -> str:
    verdict, reference = rows[0]["verdict"], format_level(rows[0]["reference"])
    subject, interval = _subject(rows, among), _interval(rows, metric)
    if verdict.resolved:
        sizes = sorted(abs(row["difference"]) for row in rows)
        ends = sorted(abs(row[end]) for row in rows for end in ("low", "high"))
        size = f"{metric.number(sizes[0])} to {metric.size_text(sizes[-1])}"
        return f"{subject} are {verdict.value} than {reference} by {size} (within {_span(ends, metric)})"
    if verdict is Verdict.equivalent and rows[0]["reason"] is not None:
        return f"{subject} do nothing that {reference} does not: {reason_text(rows[0])}"
    if verdict is Verdict.equivalent:
        if all(row["low"] == row["high"] == 0 for row in rows):
            return f"{subject} are the same as {reference} in every seed"
        bounds = interval.removeprefix("within ")
        return f"{subject} are equivalent to {reference} within ±{bare(margin or 0.0, metric)} ({bounds})"
    if verdict is Verdict.undecided:
        return f"{subject} are undecided against {reference} ({interval}){_seeds(rows, metric, margin)}"
    return f"{subject} cannot be compared with {reference}: {reason_text(rows[0])}"


def _subject(rows: Sequence[Row], among: tuple[str, ...]) -> str:
    """``8, 16 and 24 at lr=0.01``; the place once, if it is the same."""
    if len({row["at"] for row in rows}) == 1:
        where = f" at {format_levels(rows[0]['at'], among)}" if rows[0]["at"] else ""
        return _listed([format_level(row["level"]) for row in rows]) + where
    return _listed([
        format_level(row["level"]) + (f" at {format_levels(row['at'], among)}" if row["at"] else "") for row in rows
    ])  # fmt: skip


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _span(ends: Sequence[float], metric: Metric) -> str:
    return f"{metric.number(ends[0])} to {metric.number(ends[-1])}"


def _interval(rows: Sequence[Row], metric: Metric) -> str:
    low, high = min(row["low"] for row in rows), max(row["high"] for row in rows)
    if not math.isfinite(high - low):
        return "no bound yet"
    unit = f" {metric.difference_unit}" if metric.difference_unit else ""
    return f"within {metric.difference(low)} to {metric.difference(high)}{unit}"


def _seeds(rows: Sequence[Row], metric: Metric, margin: float | None) -> str:
    most = [row["seeds_high"] for row in rows if not math.isnan(row["seeds_high"])]
    if margin is None or not most:
        return ""
    fewest = min(row["seeds_low"] for row in rows if not math.isnan(row["seeds_low"]))
    return f"; {fewest:,.0f} to {max(most):,.0f} seeds would show {bare(margin, metric)}"
