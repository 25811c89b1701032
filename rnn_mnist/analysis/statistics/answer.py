"""The answer of a sweep in a few sentences, and its best setting."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.factors import FactorError, find_factors
from rnn_mnist.analysis.reading.levels import format_level, format_levels, short_name
from rnn_mnist.analysis.statistics.additive_regression import AdditiveFit, additive_regression
from rnn_mnist.analysis.statistics.by_seed import FEWEST_TO_SPEAK
from rnn_mnist.analysis.statistics.inert import independent_runs
from rnn_mnist.analysis.statistics.layout import replicate_unit
from rnn_mnist.analysis.statistics.power import ALPHA
from rnn_mnist.analysis.statistics.sampled import sampled_factors
from rnn_mnist.analysis.statistics.sampled_answer import sampled_answer
from rnn_mnist.analysis.statistics.summary import group_by_levels
from rnn_mnist.analysis.statistics.tied import settings_tied_with
from rnn_mnist.analysis.statistics.together import clauses
from rnn_mnist.analysis.statistics.verdict import Verdict
from rnn_mnist.catalogues.metrics import METRICS, Metric
from rnn_mnist.runs.record import State

MOST_SENTENCES = 8
MOST_PAIRS = 8
"""Of one factor, in words."""


@dataclass(frozen=True)
class BestSetting:
    """The setting with the best mean validation accuracy, among those that trained with every seed that others have.

    Attributes:
        label: the levels of its factors in words.
        validation, test: mean accuracies, fractions; ``validation`` is NaN where nothing was held out, and the test
            accuracy has then chosen.
        chosen_by: "validation" or "test".
        seeds: completed runs.
        replicates: different seeds among them, or what else counts the replicates.
        directory: of its run that validates best.
        tied: labels of the settings that are not resolved from it.
        diverging, fewer: settings that were not considered, because runs diverged, or fewer were completed.
    """

    label: str
    validation: float
    test: float
    chosen_by: str
    seeds: int
    replicates: int
    directory: str
    tied: tuple[str, ...]
    diverging: int
    fewer: int


@dataclass(frozen=True)
class Answer:
    """What a sweep comes to: sentences without repetition, the most certain first, and its best setting."""

    sentences: tuple[str, ...]
    best: BestSetting | None


def answer(runs: pd.DataFrame, effects: pd.DataFrame, fit: AdditiveFit | str | None = None) -> Answer:
    """The answer of runs.

    Args:
        runs: as :func:`rnn_mnist.analysis.reading.results.load_runs` returns them.
        effects: of :func:`rnn_mnist.analysis.statistics.effects.effects`.
        fit: of :func:`regress_if_sampled`.
    """
    metric, margin = METRICS[effects.attrs["metric"]], effects.attrs["margin"]
    sentences = [_capital(text) for text in _of_factors(effects, metric)]
    if isinstance(fit, str):
        sentences.append(_capital(fit))
    elif fit is not None:
        sentences += [_capital(text) for text in sampled_answer(fit, metric.key, margin)]
    # Where nothing but replicates varies, there is no setting to choose.
    varies = bool(find_factors(runs))
    best = find_best(runs) if varies else None
    if best is not None:
        sentences.append(_capital(_best_sentence(best)))
    elif varies:
        sentences.append("In every setting runs diverged or have no outcome, so that none is called the best.")
    return Answer(tuple(sentences), best)


def regress_if_sampled(runs: pd.DataFrame, metric: str, confidence: float = 0.95) -> AdditiveFit | str | None:
    """The additive regression of a random search, or why there is none; None where no factor was sampled."""
    factors = find_factors(runs)
    if not sampled_factors(runs, factors):
        return None
    try:
        return additive_regression(runs, factors, metric, confidence=confidence)
    except FactorError as error:
        return str(error)


def find_best(runs: pd.DataFrame) -> BestSetting | None:
    """The best setting by validation; None where no run is completed, or none trained with all seeds."""
    usable, _ = independent_runs(runs)
    factors = find_factors(usable)
    finished = usable[usable["status"] == State.completed]
    if finished.empty:
        return None
    chooser = "val_accuracy" if finished["val_accuracy"].notna().all() else "test_accuracy"
    groups = list(group_by_levels(usable, factors))
    settings = [
        (format_levels(levels.items(), factors) or "this setting", group[group["status"] == State.completed])
        for levels, group in groups
        if not group["diverged"].any()
    ]
    most = max((len(group) for _, group in settings), default=0)
    whole = [(label, group) for label, group in settings if len(group) == most and most]
    if not whole:
        return None
    label, group = max(whole, key=lambda setting: float(setting[1][chooser].mean()))
    unit, _ = replicate_unit(usable, factors)
    tied = settings_tied_with(label, dict(whole), chooser, unit)
    return BestSetting(
        label,
        float(group["val_accuracy"].mean()),
        float(group["test_accuracy"].mean()),
        "validation" if chooser == "val_accuracy" else "test",
        len(group),
        group[unit].nunique(),
        str(group["directory"].iloc[int(group[chooser].to_numpy(float).argmax())]),
        tied,
        len(groups) - len(settings),
        len(settings) - len(whole),
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
    with_best = _pairs_with_the_best(told, metric)
    shown = sorted(with_best, key=lambda row: (not row["verdict"].resolved, row["verdict"] is Verdict.not_comparable))
    name = short_name(rows[0]["factor"], names)
    texts = clauses(shown, metric, margin, names)
    text = f"{name}=" + "; ".join(texts) if texts else ""
    if len(told) > len(shown):
        text += f"; of {len(told) - len(shown)} more pairs the table tells"
    if hidden := dict.fromkeys(row["depends_on"] for row in rows if row["depends_on"]):
        others = " and ".join(short_name(other, names) for other in hidden)
        text = f"what {name} does depends on {others}: {text}"
    found = [row["p_family"] for row in rows if row["verdict"].resolved and not math.isnan(row["p_family"])]
    if found and min(found) >= ALPHA:
        text += "; over all factors of this table that may be chance"
    return text


def _pairs_with_the_best(rows: Sequence[dict[str, Any]], metric: Metric) -> Sequence[dict[str, Any]]:
    """Of more pairs of levels than can be read, those of the best level, with it as their reference; else all rows."""
    if len(rows) <= MOST_PAIRS or len({format_level(row["reference"]) for row in rows}) == 1 or any(
        row["at"] for row in rows
    ):  # fmt: skip
        return rows
    sign = -1 if metric.higher_is_better is False else 1
    means = {
        format_level(row[level]): sign * row[mean]
        for row in rows
        for level, mean in (("level", "mean"), ("reference", "mean_reference"))
        if not math.isnan(row[mean])
    }
    if not means:
        return rows
    best = max(means, key=lambda level: means[level])
    turned = [_turned(row) if format_level(row["level"]) == best else row for row in rows]
    return [row for row in turned if format_level(row["reference"]) == best]


def _turned(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same contrast with level and reference exchanged."""
    sides = {"level": "reference"} | {
        name: f"{name}_reference" for name in ("seeds", "mean", "failed", "runs", "missing")
    }
    swapped = {
        **row,
        **{one: row[other] for one, other in sides.items()},
        **{other: row[one] for one, other in sides.items()},
    }
    opposite = {
        Verdict.better: Verdict.worse, Verdict.worse: Verdict.better,
        Verdict.higher: Verdict.lower, Verdict.lower: Verdict.higher,
    }  # fmt: skip
    return swapped | {
        "difference": -row["difference"],
        "low": -row["high"],
        "high": -row["low"],
        "verdict": opposite.get(row["verdict"], row["verdict"]),
    }


def _certainty(rows: Sequence[Mapping[str, Any]]) -> tuple[bool, float]:
    p_values = [row["p_adjusted"] for row in rows if not math.isnan(row["p_adjusted"])]
    return not any(row["verdict"].resolved for row in rows), min(p_values, default=2.0)


def _best_sentence(best: BestSetting) -> str:
    test = f"test {METRICS['test_accuracy'].text(best.test)}"
    reached = test
    if not math.isnan(best.validation):
        reached = f"validation {METRICS['val_accuracy'].text(best.validation)}, {test}"
    if best.chosen_by == "test":
        reached += ", nothing was held out" if math.isnan(best.validation) else ", elsewhere nothing was held out"
    seeds = f"{best.seeds} run{'s' if best.seeds > 1 else ''}"
    if best.seeds == best.replicates:
        seeds = f"{best.seeds} seed{'s' if best.seeds > 1 else ''}"
    text = f"Best by {best.chosen_by}: {best.label} ({reached}, {seeds})"
    if best.tied and best.seeds < FEWEST_TO_SPEAK:
        text += f"; so few seeds tell it from none of the {len(best.tied)} others"
    elif best.tied:
        shown = "; ".join(best.tied[:3]) + (f" and {len(best.tied) - 3} more" if len(best.tied) > 3 else "")
        text += f", not told apart from {shown}"
    passed_over = [f"{best.diverging} in which runs diverged"] if best.diverging else []
    passed_over += [f"{best.fewer} with fewer seeds"] if best.fewer else []
    return f"{text}; settings that are not considered: {', '.join(passed_over)}" if passed_over else text


def _capital(text: str) -> str:
    # A sentence that begins with a key keeps its spelling.
    first = text.partition(" ")[0]
    return f"{text if '=' in first or '.' in first else text[0].upper() + text[1:]}."
