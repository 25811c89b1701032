"""What became of each contrast, in a word and in a sentence."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

import numpy as np

from hydra_plugins.resolve_sweeper._decision import Code, Judgement
from hydra_plugins.resolve_sweeper._grid import Contrast
from hydra_plugins.resolve_sweeper._options import Options
from hydra_plugins.resolve_sweeper._outcomes import Outcome, Outcomes


class Verdict(StrEnum):
    """Of a level against its reference."""

    open = "open"
    better = "better"
    worse = "worse"
    equivalent = "equivalent"
    undecided = "undecided"
    not_comparable = "not comparable"


@dataclass(frozen=True)
class Counts:
    """Of the runs of a level and of its reference, in all contexts."""

    failed: int
    runs: int
    """Those with an outcome, failed ones included."""
    failed_reference: int
    runs_reference: int
    missing: int
    """Of either, without a result."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a look has found of a contrast; numbers that there are not are None."""

    factor: str
    level: str
    reference: str
    verdict: Verdict
    code: int
    """:class:`~hydra_plugins.resolve_sweeper._decision.Code`, which the step-down counts."""
    seeds: int
    """Those that have a difference."""
    difference: float | None
    low: float | None
    high: float | None
    counts: Counts
    reason: str
    """Why they are not comparable."""

    @property
    def settled(self) -> bool:
        """Whether no further seeds are needed."""
        return self.verdict is not Verdict.open

    def row(self) -> dict[str, Any]:
        """As the record keeps it."""
        content = asdict(self)
        return {**content, **content.pop("counts")}

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "Finding":
        """What :meth:`row` gave."""
        counts = Counts(**{entry.name: row[entry.name] for entry in fields(Counts)})
        own = {key: value for key, value in row.items() if key not in asdict(counts)}
        return cls(**{**own, "verdict": Verdict(row["verdict"]), "counts": counts})


def find(
    contrasts: Sequence[Contrast],
    before: Sequence[Finding | None],
    judgement: Judgement,
    outcomes: Outcomes,
    options: Options,
    *,
    last: bool,
) -> list[Finding]:
    """What each contrast has come to at a look; one that was settled before stays as it was.

    Args:
        contrasts: all of them.
        before: what the look before has found of each.
        judgement: of the values at this look, ``[contrast]``.
        outcomes: of all runs so far.
        options: of the sweeper.
        last: whether there is no further look.
    """
    findings = []
    for place, (contrast, earlier) in enumerate(zip(contrasts, before, strict=True)):
        if earlier is not None and earlier.settled:
            findings.append(earlier)
            continue
        own, base = contrast.pair
        counts = Counts(
            failed=outcomes.count(own, Outcome.failed),
            runs=outcomes.count(own, Outcome.failed, Outcome.value),
            failed_reference=outcomes.count(base, Outcome.failed),
            runs_reference=outcomes.count(base, Outcome.failed, Outcome.value),
            missing=outcomes.count((*own, *base), Outcome.missing),
        )
        code, seeds = Code(int(judgement.codes[place])), int(judgement.seeds[place])
        verdict, reason = _verdict(contrast, code, counts, options)
        if code is Code.open:
            if not seeds and counts.failed + counts.failed_reference:
                verdict, reason = (
                    Verdict.not_comparable,
                    f"{_failures(contrast, counts)}, so that no seed has all its runs",
                )
            elif seeds >= 2 and judgement.means[place] != 0 and outcomes.same_for_every_seed((*own, *base)):
                verdict, reason = (
                    Verdict.not_comparable,
                    f"{options.seed_key} changes nothing: there is no noise to judge by",
                )
            elif last:
                verdict = Verdict.undecided
        means, low, high = (_finite(array[place]) for array in (judgement.means, judgement.low, judgement.high))
        findings.append(
            Finding(
                factor=contrast.factor,
                level=contrast.level,
                reference=contrast.reference,
                verdict=verdict,
                code=int(code),
                seeds=seeds,
                difference=means,
                low=low,
                high=high,
                counts=counts,
                reason=reason,
            )
        )
    return findings


def _verdict(contrast: Contrast, code: Code, counts: Counts, options: Options) -> tuple[Verdict, str]:
    if code is Code.open:
        return Verdict.open, ""
    if code is Code.equivalent:
        return Verdict.equivalent, ""
    is_better = (code is Code.higher) == options.higher_is_better
    rates = [counts.failed * counts.runs_reference, counts.failed_reference * counts.runs]
    winner, loser = rates if is_better else reversed(rates)
    if winner > loser:
        name = contrast.level if is_better else contrast.reference
        return Verdict.not_comparable, f"{name} is better where both finish, but {_failures(contrast, counts)}"
    return (Verdict.better if is_better else Verdict.worse), ""


def _failures(contrast: Contrast | Finding, counts: Counts) -> str:
    return (
        f"{contrast.level} fails in {counts.failed} of {counts.runs} runs, "
        f"{contrast.reference} in {counts.failed_reference} of {counts.runs_reference}"
    )


def sentence(finding: Finding, options: Options) -> str:
    """A contrast's verdict, with its difference and interval."""
    name, reference = f"{finding.factor}={finding.level}", finding.reference
    margin = "" if options.margin is None else f" within ±{options.margin:g}{_unit(options)}"
    text = {
        Verdict.better: f"{name} is better than {reference}",
        Verdict.worse: f"{name} is worse than {reference}",
        Verdict.equivalent: f"{name} is equivalent to {reference}{margin}",
        Verdict.undecided: f"{name} against {reference} is undecided",
        Verdict.open: f"{name} against {reference} is open",
        Verdict.not_comparable: f"{name} and {reference} are not comparable: {finding.reason}",
    }[finding.verdict]
    if finding.verdict is Verdict.equivalent and finding.low == finding.high == 0:
        text = f"{name} gives the very values of {reference}"
    interval = interval_text(finding, options)
    parts = [text + (f": {interval}" if interval and not finding.reason else f" ({interval})" if interval else "")]
    parts.append(f"{finding.seeds} seeds")
    if not finding.reason and finding.counts.failed + finding.counts.failed_reference:
        parts.append(f"of what finished: {_failures(finding, finding.counts)}")
    if finding.counts.missing:
        parts.append(f"{finding.counts.missing} runs without a result")
    return "; ".join(parts)


def interval_text(finding: Finding, options: Options) -> str:
    """``+0.42 points [+0.20, +0.64]``, to two digits of the interval's half width; empty without a difference."""
    if finding.difference is None:
        return ""
    half = (finding.high - finding.low) / 2 if finding.high is not None and finding.low is not None else 0.0
    scale = half or abs(finding.difference) or 1.0
    digits = min(12, max(0, 1 - math.floor(math.log10(scale))))
    # An end beside zero must not look like one at zero.
    while digits < 12 and any(end and round(end, digits) == 0 for end in (finding.low, finding.high)):
        digits += 1
    number = f"{finding.difference:+.{digits}f}{_unit(options)}"
    if finding.low is None or finding.high is None or half == 0:
        return number
    return f"{number} [{finding.low:+.{digits}f}, {finding.high:+.{digits}f}]"


def _unit(options: Options) -> str:
    return f" {options.unit}" if options.unit else ""


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
