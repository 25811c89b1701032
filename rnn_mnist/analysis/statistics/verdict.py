"""What a contrast comes to, as a value, and the sentence that says it."""

import math
from collections.abc import Mapping
from enum import Enum
from typing import Any

from rnn_mnist.analysis.reading.levels import format_level, format_levels, short_name
from rnn_mnist.catalogues.metrics import Metric


class Verdict(Enum):
    """The outcome of one contrast, by the metric's own direction."""

    better = "better"
    worse = "worse"
    higher = "higher"
    """Of a metric of which neither direction is better, and so is ``lower``."""
    lower = "lower"
    equivalent = "equivalent"
    undecided = "undecided"
    not_comparable = "not comparable"

    @property
    def resolved(self) -> bool:
        """Whether a difference was found."""
        return self in (Verdict.better, Verdict.worse, Verdict.higher, Verdict.lower)


class Reason(Enum):
    """What a verdict rests on, where that is no interval."""

    inert = "it has no effect there"
    identical = "identical predictions"
    confounded = "other keys change with it"
    no_common_context = "no common context"
    too_few_seeds = "too few seeds"
    all_diverged = "every run diverged"
    diverges = "it diverges"


def judge_interval(low: float, high: float, metric: Metric, margin: float | None) -> Verdict:
    """The verdict of an interval of the difference (all in the metric's unit)."""
    if low > 0 or high < 0:
        if metric.higher_is_better is None:
            return Verdict.higher if low > 0 else Verdict.lower
        return Verdict.better if (low > 0) == metric.higher_is_better else Verdict.worse
    if low == high == 0 or (margin is not None and -margin <= low and high <= margin):
        return Verdict.equivalent
    return Verdict.undecided


def sentence(row: Mapping[str, Any], metric: Metric, margin: float | None, among: tuple[str, ...] = ()) -> str:
    """A row of an effects table in one sentence, without its full stop.

    Args:
        row: its values.
        metric: that was compared.
        margin: of equivalence, in the metric's unit; None for none.
        among: the keys from which the factor's short name has to tell it apart.
    """
    return f"{short_name(row['factor'], among)}={without_factor(row, metric, margin, among)}"


def without_factor(row: Mapping[str, Any], metric: Metric, margin: float | None, among: tuple[str, ...] = ()) -> str:
    """The same where the factor has been named: it begins with the level."""
    where = f" at {format_levels(row['at'], among)}" if row["at"] else ""
    tail = "".join(f"; {note}" for note in notes(row, among))
    return f"{format_level(row['level'])}{where} {_claim(row, metric, margin)}{tail}"


def verdict_text(row: Mapping[str, Any]) -> str:
    """The verdict in a word, and the reason that it rests on if that is no interval, for the cell of a table."""
    text = row["verdict"].value
    if row["reason"] is not None:
        text += f": {reason_text(row)}"
    return f"{text}, depends on {short_name(row['depends_on'])}" if row["depends_on"] else text


def _claim(row: Mapping[str, Any], metric: Metric, margin: float | None) -> str:
    verdict, reference = row["verdict"], format_level(row["reference"])
    size = metric.size_text(abs(row["difference"])) if not math.isnan(row["difference"]) else ""
    ends = sorted(abs(end) for end in (row["low"], row["high"]))
    within = f"{metric.number(ends[0])} to {metric.number(ends[1])}"
    signed = f"{metric.difference(row['difference'])} {metric.difference_unit}".rstrip()
    interval = f"{metric.difference(row['low'])} to {metric.difference(row['high'])}"
    if row["low"] == row["high"]:
        within = "with every seed alike"
    when = "when it trains" if row["failed"] else "when that trains"
    if verdict.resolved:
        matters = f", less than the {bare(margin, metric)} that matter" if margin and ends[1] <= margin else ""
        if math.isnan(row["difference"]) or row["reason"] is Reason.all_diverged:
            return f"is {verdict.value} than {reference}: {_failed(row)}"
        return f"is {verdict.value} than {reference} by {size} ({within}){matters}"
    if verdict is Verdict.equivalent and row["reason"] is not None:
        return f"does nothing that {reference} does not: {reason_text(row)}"
    if verdict is Verdict.equivalent and row["low"] == row["high"] == 0:
        return f"is the same as {reference} in every seed"
    if verdict is Verdict.equivalent:
        return f"is equivalent to {reference} within ±{bare(margin or 0.0, metric)} ({interval})"
    if verdict is Verdict.undecided:
        known = interval if math.isfinite(row["low"]) and math.isfinite(row["high"]) else "no bound yet"
        return f"is undecided against {reference}: {signed} ({known}){_seeds(row, metric, margin)}"
    if row["reason"] is Reason.diverges:
        if row["low"] <= 0 <= row["high"]:
            alike = f"is equivalent to {reference} within ±{bare(margin or 0.0, metric)} ({interval})"
            return f"{alike} {when}, but {_failed(row)}"
        better = (row["difference"] > 0) == (metric.higher_is_better is not False)
        word = "better" if better else "worse"
        return f"is {word} than {reference} by {size} ({within}) {when}, but {_failed(row)}"
    found = f" ({signed} as it stands)" if size else ""
    return f"cannot be compared with {reference}: {reason_text(row)}{found}"


def _seeds(row: Mapping[str, Any], metric: Metric, margin: float | None) -> str:
    low, high = row["seeds_low"], row["seeds_high"]
    if margin is None or math.isnan(low):
        return ""
    count = f"{low:,.0f}" if low == high else f"{low:,.0f} to {high:,.0f}"
    return f"; {count} seeds would show {bare(margin, metric)}"


def notes(row: Mapping[str, Any], among: tuple[str, ...]) -> list[str]:
    """What has to be known of a contrast beside its verdict, a clause each."""
    found = []
    if row["depends_on"]:
        found.append(f"but that depends on {short_name(row['depends_on'], among)}")
    said = row["reason"] in (Reason.diverges, Reason.all_diverged)
    if (row["failed"] or row["failed_reference"]) and not said:
        found.append(f"of those that finished ({_failed(row)})")
    if missing := row["missing"] + row["missing_reference"]:
        found.append(f"{missing} run has no outcome" if missing == 1 else f"{missing} runs have no outcome")
    if row["contexts"] < row["contexts_planned"] and row["contexts"]:
        found.append(f"in {row['contexts']} of {row['contexts_planned']} contexts")
    if row["differs"]:
        verb = "differs" if len(row["differs"]) == 1 and row["differs"][0] != "threads" else "differ"
        found.append(f"{' and '.join(row['differs'])} {verb} between the runs")
    return found


def _failed(row: Mapping[str, Any]) -> str:
    reference = f"{row['failed_reference']} of {row['runs_reference']} of the reference"
    return f"{row['failed']} of {row['runs']} diverge, {reference}" if row["failed"] else f"{reference} diverge"


def reason_text(row: Mapping[str, Any]) -> str:
    """The reason of a verdict, in words."""
    reason = row["reason"]
    if reason is Reason.confounded:
        return f"{' and '.join(row['confounded'])} change{'s' if len(row['confounded']) == 1 else ''} with it"
    if reason is Reason.diverges:
        return _failed(row) if row["failed_reference"] else f"{row['failed']} of {row['runs']} diverge"
    if reason is Reason.all_diverged and row["failed"] < row["runs"]:
        return "every run of the reference diverged"
    return str(row["detail"] or reason.value)


def bare(size: float, metric: Metric) -> str:
    """A margin as it was given: ``0.1 points``."""
    return f"{metric.shown(size):g} {metric.difference_unit}".rstrip()
