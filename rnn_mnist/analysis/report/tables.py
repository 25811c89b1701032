"""The tables of settings, effects and what else an analysis comes to, for terminals, papers and the report alike."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.factors import find_factors
from rnn_mnist.analysis.reading.levels import format_level, format_levels, plain, short_name
from rnn_mnist.analysis.reading.outcomes import Outcomes, diverged_runs, outcomes
from rnn_mnist.analysis.statistics.importance import term_text
from rnn_mnist.analysis.statistics.summary import group_by_levels, summary_table
from rnn_mnist.analysis.statistics.verdict import sentence, verdict_text
from rnn_mnist.catalogues.metrics import METRICS, Metric
from rnn_mnist.runs.record import State
from rnn_mnist.tables import Cell, Column, Content, Table, text_cell


def settings_table(runs: pd.DataFrame, factors: Sequence[str], metric: str = "test_accuracy") -> Table:
    """One row a setting."""
    judged, parameters, seconds = METRICS[metric], METRICS["parameters"], METRICS["train_seconds"]
    columns = (
        *_factor_columns(factors),
        Column("runs", Content.number, "completed runs, and those that diverged or have no outcome"),
        Column(judged.label.lower() + _of_which(runs), Content.number, "mean over the seeds"),
        Column("95 % interval", Content.number, "of the mean (t); none for fewer than three runs"),
        Column("std. dev.", Content.number, f"between seeds, {judged.difference_unit}".rstrip(", ")),
        Column("parameters", Content.number),
        Column("seconds", Content.number, "training time of a run"),
    )
    rows = [
        (
            *(_level(row[key]) for key in factors),
            Cell(ended.text, ended.completed),
            number_cell(row["mean"], judged.text(row["mean"])),
            _interval(row["low"], row["high"], judged.number),
            number_cell(row["standard_deviation"], judged.number(row["standard_deviation"])),
            number_cell(row["parameters"], parameters.number(row["parameters"])),
            number_cell(row["train_seconds"], seconds.number(row["train_seconds"])),
        )
        for row, ended in _settings(runs, metric)
    ]
    return Table(columns, tuple(rows))


def settings_paper_table(runs: pd.DataFrame, factors: Sequence[str], metric: str = "test_accuracy") -> Table:
    """The same as a paper has it: mean ± standard deviation (n - 1, between seeds) and the mean's 95 % interval (t).

    ``diverged`` (so many of those that ended) and ``missing`` (runs without an outcome) are there where there are any.
    """
    judged, parameters = METRICS[metric], METRICS["parameters"]
    heading = f"{judged.label.lower()}{_of_which(runs)}" + (f" ({judged.unit})" if judged.unit else "")
    columns = (
        *_factor_columns(factors),
        Column("runs", Content.number),
        Column(heading, Content.number, "mean ± standard deviation over the seeds"),
        Column("95 % interval", Content.number, "of the mean"),
        Column("diverged", Content.number),
        Column("missing", Content.number),
        Column("parameters", Content.number),
    )
    settings = _settings(runs, metric)
    rows = [
        (
            *(_level(row[key]) for key in factors),
            Cell(f"{ended.completed}", ended.completed),
            number_cell(row["mean"], _mean_and_deviation(row["mean"], row["standard_deviation"], judged)),
            number_cell(row["low"], f"[{judged.number(row['low'])}, {judged.number(row['high'])}]"),
            Cell(f"{ended.diverged} of {ended.ended}", ended.diverged),
            Cell(f"{ended.missing}", ended.missing),
            number_cell(row["parameters"], parameters.number(row["parameters"])),
        )
        for row, ended in settings
    ]
    unused = [word for word in ("diverged", "missing") if not any(getattr(ended, word) for _, ended in settings)]
    return Table(columns, tuple(rows)).without(*unused)


def effects_table(effects: pd.DataFrame) -> Table:
    """One row a contrast of an effects table; columns without news are left out."""
    metric, confidence = METRICS[effects.attrs["metric"]], effects.attrs["confidence"]
    names = list(dict.fromkeys(effects["factor"]))
    points = f", {metric.difference_unit}" if metric.difference_unit else ""
    columns = (
        Column("contrast", Content.code, "a level against its reference"),
        Column("at", hint="the level of another factor at which the row holds"),
        Column("seeds", Content.number, "of the level, and of the reference where it has another number"),
        Column("diverged", Content.number, "runs of the level, and of the reference"),
        Column(
            "contexts", Content.number, "combinations of the other factors that both were compared in, of those tried"
        ),
        Column(
            f"difference ({100 * confidence:g} %)", Content.number, f"level less reference, and its interval{points}"
        ),
        Column("p", Content.number, "adjusted for all contrasts of the factor"),
        Column("verdict", Content.sentence, "by the metric's own direction"),
    )
    rows = []
    for row in rows_of(effects):
        contrast = (
            f"{short_name(row['factor'], names)}={format_level(row['level'])} vs {format_level(row['reference'])}"
        )
        seeds = (row["seeds"], row["seeds_reference"])
        failed = [f"{row[f'failed{of}']}/{row[f'runs{of}']}" for of in ("", "_reference")]
        rows.append(
            (
                text_cell(contrast),
                text_cell(format_levels(row["at"], names)),
                Cell(f"{seeds[0]}" if seeds[0] == seeds[1] else f"{seeds[0]}, {seeds[1]}", min(seeds)),
                Cell(", ".join(failed), row["failed"]),
                Cell(f"{row['contexts']}/{row['contexts_planned']}", row["contexts"]),
                number_cell(row["difference"], _with_interval(row, metric)),
                number_cell(row["p_adjusted"], p_value_text(row["p_adjusted"])),
                text_cell(verdict_text(row)),
            )
        )
    needless = [] if any(effects["at"]) else ["at"]
    needless += [] if effects[["failed", "failed_reference"]].to_numpy().any() else ["diverged"]
    needless += [] if (effects["contexts"] != effects["contexts_planned"]).any() else ["contexts"]
    return Table(columns, tuple(rows)).without(*needless)


def effects_as_text(effects: pd.DataFrame) -> pd.DataFrame:
    """The same for a CSV file: all columns, in words where they hold values, and the sentence of each contrast."""
    metric, margin = METRICS[effects.attrs["metric"]], effects.attrs["margin"]
    names = tuple(dict.fromkeys(effects["factor"]))
    return effects.assign(
        at=effects["at"].map(format_levels),
        verdict=[verdict.value for verdict in effects["verdict"]],
        reason=["" if reason is None else reason.value for reason in effects["reason"]],
        **{key: [", ".join(words) for words in effects[key]] for key in ("confounded", "differs")},
        sentence=[sentence(row, metric, margin, names) for row in rows_of(effects)],
    )


def seeds_table(power: pd.DataFrame, metric: str) -> Table:
    """The seeds that would do, from :func:`rnn_mnist.analysis.statistics.power.power_table`."""
    judged = METRICS[metric]
    names = list(dict.fromkeys(power["factor"]))
    differences: list[Any] = [column for column in power.columns if not isinstance(column, str)]
    columns = [Column("contrast", Content.code), Column("at"), Column("method")]
    columns += [Column(heading, Content.number) for heading in ("seeds", "noise (sd)", "detectable")]
    columns += [Column(f"for {judged.number(difference)}", Content.number) for difference in differences]
    rows = []
    for row in rows_of(power):
        name = f"{short_name(row['factor'], names)}={format_level(row['level'])} vs {format_level(row['reference'])}"
        cells = [text_cell(name), text_cell(format_levels(row["at"], names)), text_cell(row["method"])]
        cells.append(number_cell(row["seeds"], f"{row['seeds']}"))
        cells += [
            number_cell(row[key], judged.number(row[key])) for key in ("standard_deviation", "minimum_detectable")
        ]
        rows.append((*cells, *(_range(*row[difference]) for difference in differences)))
    return Table(tuple(columns), tuple(rows)).without(*([] if any(power["at"]) else ["at"]))


def importance_table(importance: pd.DataFrame) -> Table:
    """The shares of the variance, from :func:`rnn_mnist.analysis.statistics.importance.importance`."""
    shares = [Column(heading, Content.number) for heading in ("share %", "by chance %")]
    rows = [
        (
            text_cell(term_text(row["kind"], row["term"])),
            *(number_cell(row[key], f"{100 * row[key]:.1f}") for key in ("share", "by_chance")),
            text_cell(row["ranges"]),
        )
        for row in rows_of(importance)
    ]
    return Table((Column("term"), *shares, Column("over", Content.sentence)), tuple(rows))


def unsuccessful_table(runs: pd.DataFrame, factors: Sequence[str]) -> Table:
    """One row for each run that is not completed, with its cause."""
    lost = runs[runs["status"] != State.completed]
    columns = [Column("run"), *_factor_columns(factors)]
    columns += [Column("seed", Content.number), Column("state"), Column("cause", Content.sentence)]
    rows = [
        (
            text_cell(row["run"]),
            *(_level(row[key]) for key in factors),
            number_cell(row["seed"], f"{row['seed']}"),
            text_cell("diverged" if diverged else row["status"]),
            text_cell("–" if plain(row["error"]) is None else row["error"]),
        )
        for row, diverged in zip(rows_of(lost), diverged_runs(lost), strict=True)
    ]
    return Table(tuple(columns), tuple(rows))


def p_value_text(p_value: float) -> str:
    """``0.03``, ``<0.001``, or an en dash."""
    if math.isnan(p_value):
        return "–"
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}" if p_value < 0.1 else f"{p_value:.2f}"


def _settings(runs: pd.DataFrame, metric: str) -> list[tuple[dict[str, Any], Outcomes]]:
    """The rows of the summary, each with how the runs of the setting ended."""
    groups = group_by_levels(runs, find_factors(runs))
    ended = [outcomes(group) for _, group in groups]
    return list(zip(rows_of(summary_table(runs, metric)), ended, strict=True))


def _factor_columns(factors: Sequence[str]) -> tuple[Column, ...]:
    return tuple(Column(short_name(key, factors), hint=key) for key in factors)


def _of_which(runs: pd.DataFrame) -> str:
    """What a mean is to be called where some runs have no figure because they diverged."""
    return " of those that finished" if diverged_runs(runs).any() else ""


def _mean_and_deviation(mean: float, deviation: float, metric: Metric) -> str:
    return metric.number(mean) + ("" if math.isnan(deviation) else f" ± {metric.number(deviation)}")


def _level(value: Any) -> Cell:
    value = plain(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Cell(format_level(value), float(value) if is_number else format_level(value))


def number_cell(value: float, text: str) -> Cell:
    """A cell of a number; an en dash, sorted last, where there is none."""
    return Cell("–", "") if math.isnan(value) else Cell(text, float(value))


def _range(low: float, high: float) -> Cell:
    return number_cell(low, f"{low:,.0f}" if low == high else f"{low:,.0f} to {high:,.0f}")


def _with_interval(row: dict[str, Any], metric: Metric) -> str:
    """``+0.22 (+0.15 to +0.30)``."""
    difference = metric.difference(row["difference"])
    if math.isnan(row["low"]) or math.isinf(row["low"]):
        return difference
    return f"{difference} ({metric.difference(row['low'])} to {metric.difference(row['high'])})"


def _interval(low: float, high: float, show: Any) -> Cell:
    return number_cell(low, f"{show(low)} to {show(high)}")
