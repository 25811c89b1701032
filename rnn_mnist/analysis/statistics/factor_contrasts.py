"""The contrasts of one factor: each level against its reference, with interval, verdict and what it rests on."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from rnn_mnist.analysis.statistics import anytime as anytime_interval
from rnn_mnist.analysis.statistics.by_seed import Contrast, independent_contrast, paired_contrast, usable_contexts
from rnn_mnist.analysis.statistics.certain import certain_reason
from rnn_mnist.analysis.statistics.confounding import confounded_keys, differing_circumstances, separating_keys
from rnn_mnist.analysis.statistics.failures import rate_p_value, worst_rank_contrast
from rnn_mnist.analysis.statistics.inert import PredictionBytes
from rnn_mnist.analysis.statistics.interactions import misleading_factors
from rnn_mnist.analysis.statistics.layout import Layout, shares_noise
from rnn_mnist.analysis.statistics.power import Method, minimum_detectable_difference, seeds_range
from rnn_mnist.analysis.statistics.simultaneous import adjusted, judge, level_of_each
from rnn_mnist.analysis.statistics.verdict import Reason, Verdict, judge_interval
from rnn_mnist.catalogues.data_sets import find_data_set
from rnn_mnist.catalogues.metrics import Metric


@dataclass(frozen=True)
class Task:
    """What is asked of every factor alike; see :func:`rnn_mnist.analysis.statistics.effects.effects`."""

    metric: Metric
    confidence: float
    margin: float | None
    all_pairs: bool
    anytime: bool


@dataclass(frozen=True)
class _Pair:
    """A level and its reference in the contexts of a layout, and the contrast of those that have enough seeds."""

    at: tuple[tuple[str, Any], ...]
    layout: Layout
    level: int
    reference: int
    used: np.ndarray
    """``[context]``"""
    contrast: Contrast | None
    reason: Reason | None
    detail: str = ""


@dataclass(frozen=True)
class _Interval:
    """What a test comes to: alone, and within the family of its factor."""

    low: float = math.nan
    high: float = math.nan
    p_value: float = math.nan
    p_adjusted: float = math.nan


_NO_INTERVAL = _Interval()


@dataclass
class FactorContrasts:
    """The contrasts of one factor: ``layout`` is of ``runs``, whose other keys that follow factors are ``aliases``."""

    runs: pd.DataFrame
    layout: Layout
    aliases: Mapping[str, Sequence[str]]
    reference: Any
    task: Task
    predictions: PredictionBytes = field(default_factory=PredictionBytes)

    def main_and_split(self, others: Sequence[str]) -> list[dict[str, Any]]:
        """The main effects, and below them what those hide that depend on another factor."""
        rows = self._rows([((), self.layout)])
        about = misleading_factors(self.layout, rows, others, paired=self._paired)
        for row, other in zip(rows, about, strict=True):
            row["depends_on"] = other
        for other in dict.fromkeys(filter(None, about)):
            levels = {row["level"] for row, depends_on in zip(rows, about, strict=True) if depends_on == other}
            rows += [row for row in self.split(other) if row["level"] in levels]
        return rows

    def split(self, other: str) -> list[dict[str, Any]]:
        """The effects at each level of another factor."""
        return self._rows([(((other, level),), layout) for level, layout in self.layout.at(other).items()])

    @property
    def _paired(self) -> bool:
        return shares_noise(self.layout.factor) or self.task.anytime

    def _rows(self, places: Sequence[tuple[tuple[tuple[str, Any], ...], Layout]]) -> list[dict[str, Any]]:
        """The contrasts in all of these places, judged together."""
        count = len(self.layout.levels)
        reference = self.layout.levels.index(self.reference)
        pairs = [(level, reference) for level in range(count) if level != reference]
        if self.task.all_pairs:
            pairs = [(level, other) for other in range(count) for level in range(other + 1, count)]
        made = [self._pair(at, layout, *pair) for at, layout in places for pair in pairs]
        # Those without an interval are tested by how often they diverge, in the same family.
        judged = [pair for pair in made if pair.contrast is not None or pair.reason is Reason.all_diverged]
        size = max(1, len(judged))
        intervals = self._intervals([pair.contrast for pair in made if pair.contrast is not None], size)
        return [self._row(pair, next(intervals) if pair.contrast is not None else _NO_INTERVAL, size) for pair in made]

    def _pair(self, at: tuple[tuple[str, Any], ...], layout: Layout, level: int, reference: int) -> _Pair:
        shared = layout.tried[level] & layout.tried[reference]
        if not shared.any():
            keys = separating_keys(layout, level, reference)
            reason = Reason.confounded if keys else Reason.no_common_context
            detail = "" if keys else "no setting of the other factors was tried with both"
            return _Pair(at, layout, level, reference, shared, None, reason, detail)
        certain = certain_reason(self.runs, layout, level, reference, self.predictions)
        if (
            certain is not None
            and certain[0] is Reason.inert
            and (layout.tried[level] != layout.tried[reference]).any()
        ):
            # One layer stands for every dropout; that says nothing of where dropout acts.
            return _Pair(at, layout, level, reference, np.zeros_like(shared), None, Reason.no_common_context)
        if certain is not None:
            return _Pair(at, layout, level, reference, shared, None, *certain)
        # Where a factor is inert, its two levels are one run: a difference of 0 that nobody measured.
        shared = shared & ~layout.same_runs(level, reference)
        one, other = layout.values[level], layout.values[reference]
        used = shared & usable_contexts(one, other, together=self._paired)
        if not used.any():
            ended, diverged = (array[[level, reference]][:, shared].sum(axis=(1, 2)) for array in
                               (layout.ended, layout.diverged))  # fmt: skip
            if (diverged == ended).any() and ended.min() > 0:
                return _Pair(at, layout, level, reference, shared, None, Reason.all_diverged)
            return _Pair(
                at, layout, level, reference, shared, None, Reason.too_few_seeds, self._few(one, other, shared)
            )
        make = paired_contrast if self._paired else independent_contrast
        contrast = make(one[used], other[used], self._floor())
        return _Pair(at, layout, level, reference, used, contrast, None)

    def _few(self, level: np.ndarray, reference: np.ndarray, shared: np.ndarray) -> str:
        """How many seeds there are where there are most, of values ``[context, seed]``."""
        known = ~np.isnan(level[shared]), ~np.isnan(reference[shared])
        if not self._paired:
            return f"{Reason.too_few_seeds.value} ({np.minimum(*(have.sum(axis=1) for have in known)).max(initial=0)})"
        common = int((known[0] & known[1]).sum(axis=1).max(initial=0))
        return f"{Reason.too_few_seeds.value} that both have ({common})"

    def _floor(self) -> float:
        """One image: an accuracy is known no better, however often the same count comes back."""
        counted = self.task.metric.counted_on
        if counted == "validation":
            size = self.runs["data.validation_size"].max()
            return 1 / size if size else 0.0
        if counted == "test":
            counts = [find_data_set(name).counts for name in self.runs["data.name"].dropna().unique()]
            return max((1 / of[1] for of in counts if of), default=0.0)
        return self.task.metric.step

    def _intervals(self, contrasts: Sequence[Contrast], size: int) -> Iterator[_Interval]:
        """The interval of each contrast, in a family of so many."""
        if not contrasts:
            return
        if self.task.anytime:
            alpha = level_of_each(size, 1 - self.task.confidence)
            widths = np.array([anytime_interval.half_width(contrast, alpha) for contrast in contrasts])
            p_values = np.array([anytime_interval.p_value(contrast) for contrast in contrasts])
            within = adjusted(p_values, size)
        else:
            t, degrees, variances = (
                np.array([getattr(contrast, name) for contrast in contrasts])
                for name in ("t", "degrees_of_freedom", "variance")
            )
            family = judge(t, degrees, self.task.confidence, size)
            widths, p_values, within = family.critical * np.sqrt(variances), family.p_values, family.adjusted
        for contrast, width, p_value, p_adjusted in zip(contrasts, widths, p_values, within, strict=True):
            low, high = contrast.estimate - width, contrast.estimate + width
            yield _Interval(float(low), float(high), float(p_value), float(p_adjusted))

    def _row(self, pair: _Pair, interval: _Interval, size: int) -> dict[str, Any]:
        layout, contrast, task = pair.layout, pair.contrast, self.task
        alpha = level_of_each(size, 1 - task.confidence)
        level, reference = layout.levels[pair.level], layout.levels[pair.reference]
        verdict, reason = Verdict.not_comparable, pair.reason
        confounded = confounded_keys(self.runs, layout, pair.level, pair.reference, pair.used, self.aliases)
        if reason is Reason.confounded:
            confounded = separating_keys(layout, pair.level, pair.reference)
        if reason in (Reason.inert, Reason.identical):
            verdict = Verdict.equivalent
        elif reason is Reason.all_diverged:
            verdict, p_value = self._all_diverged(pair, alpha)
            interval = replace(interval, p_value=p_value, p_adjusted=float(adjusted(np.array(p_value), size)))
        elif contrast is not None and confounded:
            reason = Reason.confounded
        elif contrast is not None:
            verdict = judge_interval(interval.low, interval.high, task.metric, task.margin)
            if self._failures_disagree(pair, verdict, alpha):
                verdict, reason = Verdict.not_comparable, Reason.diverges
        both = layout.tried[pair.level] & layout.tried[pair.reference]
        either = layout.tried[pair.level] | layout.tried[pair.reference]
        planned = either if reason is Reason.inert else either & ~layout.same_runs(pair.level, pair.reference)
        counts = {
            f"{name}{suffix}": layout.total(array, place, planned)
            for name, array in (("failed", layout.diverged), ("runs", layout.ended), ("missing", layout.missing))
            for suffix, place in (("", pair.level), ("_reference", pair.reference))
        }
        return {
            "factor": layout.factor,
            "level": level,
            "reference": reference,
            "at": pair.at,
            "contexts": int(pair.used.sum()),
            "contexts_planned": int(planned.sum()),
            **self._of_contrast(pair),
            **asdict(interval),
            "p_family": math.nan,
            **counts,
            **self._noise(contrast, alpha),
            "alpha": alpha,
            "verdict": verdict,
            "reason": reason,
            "depends_on": "",
            "confounded": tuple(confounded),
            "differs": differing_circumstances(self.runs, layout, pair.level, pair.reference, both),
            "detail": pair.detail,
        }

    def _of_contrast(self, pair: _Pair) -> dict[str, Any]:
        values = [pair.layout.values[place][pair.used] for place in (pair.level, pair.reference)]
        seeds = [int((~np.isnan(part)).any(axis=0).sum()) if part.size else 0 for part in values]
        if pair.contrast is None:
            return {"seeds": seeds[0], "seeds_reference": seeds[1], "mean": math.nan, "mean_reference": math.nan,
                    "difference": 0.0 if pair.reason in (Reason.inert, Reason.identical) else math.nan}  # fmt: skip
        if self._paired:
            both = ~np.isnan(values[0]) & ~np.isnan(values[1])
            values = [np.where(both, part, np.nan) for part in values]
        means = [float(np.nanmean(part, axis=1).mean()) for part in values]
        if self._paired:
            seeds = [pair.contrast.n] * 2
        return {
            "seeds": seeds[0],
            "seeds_reference": seeds[1],
            "mean": means[0],
            "mean_reference": means[1],
            "difference": pair.contrast.estimate,
        }

    def _noise(self, contrast: Contrast | None, alpha: float) -> dict[str, Any]:
        method = Method.anytime if self.task.anytime else Method.paired if self._paired else Method.welch
        if contrast is None:
            nothing = dict.fromkeys(("standard_deviation", "minimum_detectable", "seeds_low", "seeds_high"), math.nan)
            return {**nothing, "method": method}
        parts = contrast.parts
        deviation = math.sqrt(math.fsum(part.variance for part in parts) / len(parts))
        detectable = minimum_detectable_difference(parts[0].n, parts[-1].n, deviation, method, alpha)
        low, high = math.nan, math.nan
        if self.task.margin:
            low, high = seeds_range(self.task.margin, deviation, contrast.degrees_of_freedom, method, alpha)
        return {
            "standard_deviation": deviation,
            "minimum_detectable": detectable if math.isfinite(detectable) else math.nan,
            "seeds_low": low,
            "seeds_high": high,
            "method": method,
        }

    def _failures_disagree(self, pair: _Pair, verdict: Verdict, alpha: float) -> bool:
        """Whether runs diverged, and the verdict no longer holds once that counts.

        A difference has to remain where a diverged run is worse than any other. Levels of which one diverges more often
        are not equivalent. Contexts in which all runs of a level diverged count too, for nobody would choose it there.
        """
        places = [pair.level, pair.reference]
        both = pair.layout.tried[places].all(axis=0) & ~pair.layout.same_runs(*places)
        diverged = pair.layout.diverged[places] > 0
        outcomes = np.where(diverged, 0.0, pair.layout.values[places])
        both &= usable_contexts(*outcomes, together=self._paired)
        diverged = diverged[:, both]
        if verdict is Verdict.equivalent:
            return self._rate_p_value(pair, both) < alpha
        if not (verdict.resolved and diverged.any()):
            return False
        sign = -1 if self.task.metric.higher_is_better is False else 1
        values = sign * pair.layout.values[places][:, both]
        ranks = worst_rank_contrast(*values, *diverged, paired=self._paired)
        family = judge(np.array([ranks.t]), np.array([ranks.degrees_of_freedom]), 1 - alpha)
        claimed_better = verdict in (Verdict.better, Verdict.higher if sign > 0 else Verdict.lower)
        return not (family.adjusted[0] < alpha and (ranks.estimate > 0) == claimed_better)

    def _all_diverged(self, pair: _Pair, alpha: float) -> tuple[Verdict, float]:
        """Worse, if only the level's runs all diverged and that is no chance; the other way round, better."""
        p_value = self._rate_p_value(pair, pair.used)
        if p_value >= alpha:
            return Verdict.not_comparable, p_value
        share, share_of_reference = (
            pair.layout.diverged[place][pair.used].sum() / pair.layout.ended[place][pair.used].sum()
            for place in (pair.level, pair.reference)
        )
        return (Verdict.worse if share > share_of_reference else Verdict.better), p_value

    def _rate_p_value(self, pair: _Pair, contexts: np.ndarray) -> float:
        """Of both levels diverging equally often in some contexts."""
        layout = pair.layout
        return rate_p_value(*(
            layout.total(counts, place, contexts)
            for place in (pair.level, pair.reference) for counts in (layout.diverged, layout.ended)
        ))  # fmt: skip
