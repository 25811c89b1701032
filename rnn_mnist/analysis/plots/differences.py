"""Differences from a reference as figures show them: rows of an effects table, and the look of each verdict."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.levels import format_level, format_levels, plain, short_name
from rnn_mnist.analysis.reading.outcomes import diverge_text
from rnn_mnist.analysis.statistics.verdict import Reason, Verdict
from rnn_mnist.catalogues.metrics import Metric

MARGIN_COLOUR = "#e9eef3"
NOT_COMPARABLE = Verdict.not_comparable.value


@dataclass(frozen=True)
class VerdictLook:
    """How a verdict is drawn: told apart by the marker alone, so in grey and by the colour-blind too."""

    colour: str
    marker: str
    filled: bool = True


# Towards better points up whatever the direction of the metric; a metric without direction points along the axis.
LOOKS: Mapping[str, VerdictLook] = {
    Verdict.better.value: VerdictLook("#0072B2", "^"),
    Verdict.worse.value: VerdictLook("#D55E00", "v"),
    Verdict.higher.value: VerdictLook("#0072B2", ">"),
    Verdict.lower.value: VerdictLook("#D55E00", "<"),
    Verdict.equivalent.value: VerdictLook("#009E73", "s"),
    Verdict.undecided.value: VerdictLook("#6b6b6b", "o", filled=False),
    NOT_COMPARABLE: VerdictLook("#6b6b6b", "_"),
}


@dataclass(frozen=True)
class Difference:
    """One contrast: a level of a factor less its reference, in the table's unit.

    Attributes:
        factor, level, reference: as in the table.
        label: the level in words.
        at: the level of another factor that the contrast is at, in words; empty for a main effect.
        place: the same as pairs of key and level.
        difference, low, high: None where nothing can be compared.
        seeds: replicates of the side that has fewer.
        verdict: its word, a key of :data:`LOOKS`.
        failures: ``3 of 6 diverge``, of the level and of the reference; empty without any.
        missing: runs without an outcome, on both sides.
        reason: why it is not comparable, or why its answer needs no statistics; else empty.
        depends_on: the factor that makes a main effect misleading, in words; else empty.
    """

    factor: str
    level: Any
    reference: Any
    label: str
    at: str
    place: tuple[tuple[str, Any], ...]
    difference: float | None
    low: float | None
    high: float | None
    seeds: int
    verdict: str
    failures: str
    missing: int
    reason: str
    depends_on: str

    @property
    def comparable(self) -> bool:
        """Whether there is a difference to draw."""
        return self.verdict != NOT_COMPARABLE and self.difference is not None

    @property
    def words(self) -> str:
        """What stands in place of a difference: verdict and reason."""
        return f"{self.verdict}: {self.reason}" if self.reason else self.verdict


def differences(table: pd.DataFrame) -> list[Difference]:
    """The rows of a table of :func:`rnn_mnist.analysis.statistics.effects.effects`, in its order."""
    keys = {*table["factor"], *table["depends_on"], *(key for at in table["at"] for key, _ in at)}
    return [_difference(row, sorted(keys - {""})) for row in rows_of(table)]


def signed(difference: float, metric: Metric) -> str:
    """A difference as shown, with a minus sign and not a hyphen: ``−0.42``."""
    return metric.difference(difference).replace("-", "−")


def axis_label(metric: Metric) -> str:
    """What an axis of differences is called, and which way is better."""
    better = {True: "higher is better", False: "lower is better", None: ""}[metric.higher_is_better]
    return metric.difference_label + (f"; {better}" if better else "")


def verdict_counts(rows: Iterable[Difference]) -> str:
    """How many rows have which verdict, in words: ``1 better, 5 undecided``."""
    verdicts = [row.verdict for row in rows]
    return ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in LOOKS if verdict in verdicts)


def interval_note(table_attributes: Mapping[Any, Any]) -> str:
    """What the intervals of a table are, for a footer."""
    confidence = f"{100 * float(table_attributes.get('confidence', 0.95)):g} %"
    if table_attributes.get("anytime"):
        return f"differences: {confidence} intervals that hold however often one looks"
    return f"differences: {confidence} intervals, simultaneous over the levels of a factor"


def verdict_handles(rows: Sequence[Difference], metric: Metric, margin: float | None) -> list[Line2D | Patch]:
    """Legend entries of the verdicts that occur, and of the margin."""
    present = {row.verdict for row in rows if row.comparable}
    if not present:
        return []
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=look.colour, marker=look.marker, mfc=look.colour if look.filled else "white",
               label=verdict, markersize=5)
        for verdict, look in LOOKS.items() if verdict in present
    ]  # fmt: skip
    if margin is not None:
        handles.append(Patch(color=MARGIN_COLOUR, label=f"±{metric.size_text(margin)}: margin"))
    return handles


def axis_range(rows: Sequence[Difference], metric: Metric, margin: float | None) -> tuple[float, float]:
    """Where an axis of differences ends, as shown.

    There is room for all differences and for their intervals, but for those that are several times as wide as most:
    they run out of the axis rather than set its scale.
    """
    compared = [row for row in rows if row.comparable]
    estimates = [0.0, *(metric.shown(row.difference) for row in compared)]
    intervals = [metric.shown(np.array([row.low, row.high])) for row in compared if None not in (row.low, row.high)]
    widths = [high - low for low, high in intervals]
    usual = 4 * float(np.median(widths)) if widths else 0.0
    ends = [end for interval in intervals for end in interval if np.ptp(interval) <= usual]
    low, high = min(*estimates, 0.0, *ends), max(*estimates, 0.0, *ends)
    if margin is not None:
        low, high = min(low, -1.2 * metric.shown(margin)), max(high, 1.2 * metric.shown(margin))
    if high - low < 1e-9:
        low, high = -0.1, 0.1
    padding = 0.05 * (high - low)
    return float(low - padding), float(high + padding)


def _difference(row: Mapping[str, Any], keys: Sequence[str]) -> Difference:
    difference, low, high = (_finite(row[name]) for name in ("difference", "low", "high"))
    level, reference = format_level(row["level"]), format_level(row["reference"])
    sides = [(level, row["failed"], row["runs"]), (reference, row["failed_reference"], row["runs_reference"])]
    texts = [(name, diverge_text(int(failed), int(ended))) for name, failed, ended in sides]
    return Difference(
        factor=row["factor"],
        level=row["level"],
        reference=row["reference"],
        label=level,
        at=format_levels(row["at"], keys),
        place=tuple(row["at"]),
        difference=difference,
        # An interval that is open at one end has nothing to show yet.
        low=low if high is not None else None,
        high=high if low is not None else None,
        seeds=int(min(row["seeds"], row["seeds_reference"])),
        verdict=str(row["verdict"].value),
        failures="; ".join(text if name == level else f"of {name}: {text}" for name, text in texts if text),
        missing=int(row["missing"] + row["missing_reference"]),
        reason=_reason(row, keys),
        depends_on=short_name(row["depends_on"], keys) if row["depends_on"] else "",
    )


def _finite(value: Any) -> float | None:
    return float(value) if plain(value) is not None and math.isfinite(value) else None


def _reason(row: Mapping[str, Any], keys: Sequence[str]) -> str:
    reason = row["reason"]
    if reason is None:
        return ""
    confounded = " and ".join(short_name(key, keys) for key in row["confounded"])
    if reason is Reason.confounded:
        return f"{confounded} change{'' if len(row['confounded']) > 1 else 's'} with it"
    if reason is Reason.diverges:
        return diverge_text(int(row["failed"]), int(row["runs"]))
    if reason is Reason.too_few_seeds:
        return f"{reason.value} ({min(row['seeds'], row['seeds_reference'])})"
    return str(row["detail"] or reason.value)
