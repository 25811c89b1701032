"""The answer of a sweep in a few sentences, and its best setting."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.factors import find_factors
from rnn_mnist.analysis.reading.levels import format_level, format_levels, short_name
from rnn_mnist.analysis.statistics.additive_regression import AdditiveFit, additive_regression
from rnn_mnist.analysis.statistics.by_seed import FEWEST_TO_SPEAK
from rnn_mnist.analysis.statistics.inert import independent_runs
from rnn_mnist.analysis.statistics.power import ALPHA
from rnn_mnist.analysis.statistics.reference import reference_level
from rnn_mnist.analysis.statistics.sampled import sampled_factors
from rnn_mnist.analysis.statistics.sampled_answer import sampled_answer
from rnn_mnist.analysis.statistics.summary import group_by_levels
from rnn_mnist.analysis.statistics.tied import settings_tied_with
from rnn_mnist.analysis.statistics.verdict import Verdict, without_factor
from rnn_mnist.catalogues.metrics import METRICS, Metric
from rnn_mnist.runs.record import State

MOST_SENTENCES = 8


@dataclass(frozen=True)
class BestSetting:
    """The setting with the best mean validation accuracy, among those that trained with every seed that others have.

    Attributes:
        label: the levels of its factors in words.
        validation, test: mean accuracies, fractions; ``validation`` is NaN where nothing was held out, and the test
            accuracy has then chosen.
        seeds: completed runs.
        directory: of its run that validates best.
        tied: labels of the settings that are not resolved from it.
    """

    label: str
    validation: float
    test: float
    seeds: int
    directory: str
    tied: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What a sweep comes to: sentences without repetition, the most certain first, and its best setting."""

    sentences: tuple[str, ...]
    best: BestSetting | None


def answer(runs: pd.DataFrame, effects: pd.DataFrame, fit: AdditiveFit | None = None) -> Answer:
    """The answer of runs from their effects, and in a random search from what :func:`fit_sampled` made of it.

    ``effects`` are from :func:`rnn_mnist.analysis.statistics.effects.effects`.
    """
    metric, margin = METRICS[effects.attrs["metric"]], effects.attrs["margin"]
    sentences = [_capital(text) for text in _of_factors(effects, metric)]
    if fit is not None:
        sentences += [_capital(text) for text in sampled_answer(fit, metric.key, margin)]
    best = find_best(runs)
    if best is not None and len(find_factors(runs)):
        sentences.append(_capital(_best_sentence(best)))
    return Answer(tuple(sentences), best)


def fit_sampled(runs: pd.DataFrame, metric: str, confidence: float = 0.95) -> AdditiveFit | None:
    """The additive regression of a random search; None where no factor was sampled.

    Raises:
        FactorError: if there are too few runs for so many factors.
    """
    factors = find_factors(runs)
    if not sampled_factors(runs, factors):
        return None
    references = {key: reference_level(runs, key, {}) for key in factors}
    return additive_regression(runs, factors, metric, references=references, confidence=confidence)


def find_best(runs: pd.DataFrame) -> BestSetting | None:
    """The best setting by validation; None where no run is completed, or none trained with all seeds."""
    usable, _ = independent_runs(runs)
    factors = find_factors(usable)
    finished = usable[usable["status"] == State.completed]
    if finished.empty:
        return None
    chooser = "val_accuracy" if finished["val_accuracy"].notna().all() else "test_accuracy"
    settings = [
        (format_levels(levels.items(), factors) or "this setting", group[group["status"] == State.completed])
        for levels, group in group_by_levels(usable, factors)
        if not group["diverged"].any()
    ]
    most = max((len(group) for _, group in settings), default=0)
    whole = [(label, group) for label, group in settings if len(group) == most and most]
    if not whole:
        return None
    label, group = max(whole, key=lambda setting: float(setting[1][chooser].mean()))
    tied = settings_tied_with(label, dict(whole), chooser)
    return BestSetting(
        label,
        float(group["val_accuracy"].mean()),
        float(group["test_accuracy"].mean()),
        len(group),
        str(group["directory"].iloc[int(group[chooser].to_numpy(float).argmax())]),
        tied,
    )


def _of_factors(effects: pd.DataFrame, metric: Metric) -> list[str]:
    """A sentence a factor, those that have an effect first; factors without one share theirs if there are many."""
    names = tuple(dict.fromkeys(effects["factor"]))
    by_factor = {name: rows_of(effects[effects["factor"] == name]) for name in names}
    ordered = sorted(by_factor.values(), key=_certainty)
    said = ordered if len(ordered) < MOST_SENTENCES else ordered[: MOST_SENTENCES - 2]
    sentences = [_of_factor(rows, metric, effects.attrs["margin"], names) for rows in said]
    if left := [short_name(rows[0]["factor"], names) for rows in ordered[len(said) :]]:
        sentences.append(f"of {len(left)} more factors the table tells: {', '.join(left)}")
    return sentences


def _of_factor(rows: Sequence[dict[str, Any]], metric: Metric, margin: float | None, names: tuple[str, ...]) -> str:
    """The contrasts of one factor: a main effect that misleads is said by what it hides."""
    told = [row for row in rows if not row["depends_on"]]
    told = sorted(told, key=lambda row: (not row["verdict"].resolved, row["verdict"] is Verdict.not_comparable))
    undecided = [row for row in told if row["verdict"] is Verdict.undecided and not row["at"]]
    together = undecided if len(undecided) > 2 else []
    texts = [without_factor(row, metric, margin, names) for row in told if row not in together]
    if together:
        texts.append(_undecided(together, metric, margin))
    name = short_name(rows[0]["factor"], names)
    text = f"{name}=" + "; ".join(texts) if texts else ""
    if hidden := dict.fromkeys(row["depends_on"] for row in rows if row["depends_on"]):
        others = " and ".join(short_name(other, names) for other in hidden)
        text = f"what {name} does depends on {others}: {text}"
    found = [row["p_family"] for row in rows if row["verdict"].resolved and not math.isnan(row["p_family"])]
    if found and min(found) >= ALPHA:
        text += "; over all factors of this table that may be chance"
    return text


def _undecided(rows: Sequence[Mapping[str, Any]], metric: Metric, margin: float | None) -> str:
    levels = ", ".join(format_level(row["level"]) for row in rows)
    low, high = min(row["low"] for row in rows), max(row["high"] for row in rows)
    bounds = (
        f"within {metric.difference(low)} to {metric.difference(high)}" if math.isfinite(high - low) else "no bound yet"
    )
    text = f"{levels} are undecided against {format_level(rows[0]['reference'])} ({bounds} {metric.difference_unit})"
    needed = [row["seeds_high"] for row in rows if not math.isnan(row["seeds_high"])]
    if margin is not None and needed:
        fewest = min(row["seeds_low"] for row in rows)
        size = f"{metric.shown(margin):g} {metric.difference_unit}"
        text += f"; {fewest:,.0f} to {max(needed):,.0f} seeds would show {size}"
    return text


def _certainty(rows: Sequence[Mapping[str, Any]]) -> tuple[bool, float]:
    p_values = [row["p_adjusted"] for row in rows if not math.isnan(row["p_adjusted"])]
    return not any(row["verdict"].resolved for row in rows), min(p_values, default=2.0)


def _best_sentence(best: BestSetting) -> str:
    accuracy = METRICS["val_accuracy"].text(best.validation)
    chosen = f"validation {accuracy}, test {METRICS['test_accuracy'].text(best.test)}"
    if math.isnan(best.validation):
        chosen = f"test {METRICS['test_accuracy'].text(best.test)}, nothing was held out"
    seeds = f"{best.seeds} seed{'s' if best.seeds > 1 else ''}"
    text = f"Best by {'test' if math.isnan(best.validation) else 'validation'}: {best.label} ({chosen}, {seeds})"
    if best.tied and best.seeds < FEWEST_TO_SPEAK:
        text += f"; so few seeds tell it from none of the {len(best.tied)} others"
    elif best.tied:
        shown = "; ".join(best.tied[:3]) + (f" and {len(best.tied) - 3} more" if len(best.tied) > 3 else "")
        text += f", not told apart from {shown}"
    return text


def _capital(text: str) -> str:
    # A sentence that begins with a key keeps its spelling.
    first = text.partition(" ")[0]
    return f"{text if '=' in first or '.' in first else text[0].upper() + text[1:]}."
