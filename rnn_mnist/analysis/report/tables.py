"""The tables of settings, effects and what else an analysis comes to, for terminals, papers and the report alike."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.levels import format_level, format_levels, plain, short_name
from rnn_mnist.analysis.statistics.importance import term_text
from rnn_mnist.analysis.statistics.power import Method
from rnn_mnist.analysis.statistics.summary import summary_table
from rnn_mnist.analysis.statistics.verdict import verdict_text
from rnn_mnist.catalogues.metrics import METRICS
from rnn_mnist.runs.record import State
from rnn_mnist.tables import Cell, Column, Content, Table, text_cell


def settings_table(runs: pd.DataFrame, factors: Sequence[str], metric: str = "test_accuracy") -> Table:
    """One row a setting."""
    judged, parameters, seconds = METRICS[metric], METRICS["parameters"], METRICS["train_seconds"]
    columns = (
        *(Column(short_name(key, factors), hint=key) for key in factors),
        Column("runs", Content.number, "completed runs, and those that ended without a result"),
        Column(judged.label.lower(), Content.number, "mean over the seeds"),
        Column("95 % interval", Content.number, "of the mean (t); none for fewer than three runs"),
        Column("std. dev.", Content.number, f"between seeds, {judged.difference_unit}".rstrip(", ")),
        Column("parameters", Content.number),
        Column("seconds", Content.number, "training time of a run"),
    )
    rows = [
        (
            *(_level(row[key]) for key in factors),
            Cell(f"{row['n']}" + (f" ({row['failed']} failed)" if row["failed"] else ""), row["n"]),
            _number(row["mean"], judged.text(row["mean"])),
            _interval(row["low"], row["high"], judged.number),
            _number(row["standard_deviation"], judged.number(row["standard_deviation"])),
            _number(row["parameters"], parameters.number(row["parameters"])),
            _number(row["train_seconds"], seconds.number(row["train_seconds"])),
        )
        for row in rows_of(summary_table(runs, metric))
    ]
    return Table(columns, tuple(rows))


def effects_table(effects: pd.DataFrame) -> Table:
    """One row a comparison, from :func:`rnn_mnist.analysis.statistics.effects.effects`."""
    metric, confidence = METRICS[effects.attrs["metric"]], effects.attrs["confidence"]
    names = list(dict.fromkeys(effects["factor"]))
    points = f", {metric.difference_unit}" if metric.difference_unit else ""
    columns = (
        Column("level", Content.code),
        Column("against", hint="the reference level"),
        Column("at", hint="the levels of the other factors"),
        Column("runs", Content.number, "of the level, and of the reference where it has another number"),
        Column(f"mean {metric.unit}".rstrip(), Content.number, f"{metric.label.lower()} of the level"),
        Column("difference", Content.number, f"level less reference{points}"),
        Column(f"{100 * confidence:g} % interval", Content.number, "of this one comparison"),
        Column("p (Holm)", Content.number, "corrected over all comparisons of this table"),
        Column("verdict", Content.sentence),
        Column("detectable", Content.number, f"what these seeds find with probability 0.8{points}"),
        Column("P(better)", Content.number, "that a run of the level beats one of the reference"),
        Column("r of pairs", Content.number, "correlation between the runs that share a seed"),
        Column("method", hint="Welch's t-test, or the paired one on shared seeds"),
    )
    rows = []
    for row in rows_of(effects):
        n, reference, failed = row["n"], row["n_reference"], row["failed"] + row["failed_reference"]
        runs = f"{n}" if n == reference else f"{n}, {reference}"
        rows.append(
            (
                text_cell(f"{short_name(row['factor'], names)}={format_level(row['level'])}"),
                _level(row["reference"]),
                text_cell(format_levels(row["context"], names)),
                Cell(f"{runs} ({failed} failed)" if failed else runs, n),
                _number(row["mean"], metric.number(row["mean"])),
                _number(row["difference"], metric.difference(row["difference"])),
                _interval(row["low"], row["high"], metric.difference),
                _number(row["p_holm"], p_value_text(row["p_holm"])),
                text_cell(verdict_text(row, metric)),
                _number(row["minimum_detectable"], metric.number(row["minimum_detectable"])),
                _number(row["probability_of_improvement"], f"{row['probability_of_improvement']:.2f}"),
                _number(row["correlation"], f"{row['correlation']:+.2f}"),
                text_cell(row["method"]),
            )
        )
    table = Table(columns, tuple(rows)).without(*([] if any(effects["context"]) else ["at"]))
    return table if (effects["method"] == Method.paired).any() else table.without("r of pairs", "method")


def effects_as_text(effects: pd.DataFrame) -> pd.DataFrame:
    """The same for a CSV file: all columns, contexts as text and the verdict in words beside its value."""
    metric = METRICS[effects.attrs["metric"]]
    in_words = [verdict_text(row, metric) for row in rows_of(effects)]
    values = [verdict.value for verdict in effects["verdict"]]
    contexts = effects["context"].map(format_levels)
    return effects.assign(context=contexts, verdict=values, in_words=in_words).drop(columns="reason")


def seeds_table(power: pd.DataFrame, metric: str) -> Table:
    """The seeds that would do, from :func:`rnn_mnist.analysis.statistics.power.power_table`."""
    judged = METRICS[metric]
    names = list(dict.fromkeys(power["factor"]))
    differences: list[Any] = [column for column in power.columns if not isinstance(column, str)]
    columns = [Column("level", Content.code), Column("against"), Column("at"), Column("method")]
    columns += [Column(heading, Content.number) for heading in ("runs", "noise (sd)", "detectable")]
    columns += [Column(f"for {judged.number(difference)}", Content.number) for difference in differences]
    rows = []
    for row in rows_of(power):
        name = text_cell(f"{short_name(row['factor'], names)}={format_level(row['level'])}")
        at = text_cell(format_levels(row["context"], names))
        cells = [name, _level(row["reference"]), at, text_cell(row["method"]), _number(row["n"], f"{row['n']}")]
        cells += [_number(row[key], judged.number(row[key])) for key in ("standard_deviation", "minimum_detectable")]
        rows.append((*cells, *(_number(row[difference], f"{row[difference]:,}") for difference in differences)))
    return Table(tuple(columns), tuple(rows)).without(*([] if any(power["context"]) else ["at"]))


def importance_table(importance: pd.DataFrame) -> Table:
    """The shares of the variance, from :func:`rnn_mnist.analysis.statistics.importance.importance`."""
    shares = [Column(heading, Content.number) for heading in ("share %", "by chance %")]
    rows = [
        (
            text_cell(term_text(row["kind"], row["term"])),
            *(_number(row[key], f"{100 * row[key]:.1f}") for key in ("share", "by_chance")),
            text_cell(row["ranges"]),
        )
        for row in rows_of(importance)
    ]
    return Table((Column("term"), *shares, Column("over", Content.sentence)), tuple(rows))


def unsuccessful_table(runs: pd.DataFrame, factors: Sequence[str]) -> Table:
    """One row for each run that is not completed, with its cause."""
    columns = [Column("run"), *(Column(short_name(key, factors), hint=key) for key in factors)]
    columns += [Column("seed", Content.number), Column("state"), Column("cause", Content.sentence)]
    rows = [
        (
            text_cell(row["run"]),
            *(_level(row[key]) for key in factors),
            _number(row["seed"], f"{row['seed']}"),
            text_cell(row["status"]),
            text_cell("–" if plain(row["error"]) is None else row["error"]),
        )
        for row in rows_of(runs[runs["status"] != State.completed])
    ]
    return Table(tuple(columns), tuple(rows))


def p_value_text(p_value: float) -> str:
    """``0.03``, ``<0.001``, or an en dash."""
    if math.isnan(p_value):
        return "–"
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}" if p_value < 0.1 else f"{p_value:.2f}"


def _level(value: Any) -> Cell:
    value = plain(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Cell(format_level(value), float(value) if is_number else format_level(value))


def _number(value: float, text: str) -> Cell:
    return Cell("–", "") if math.isnan(value) else Cell(text, float(value))


def _interval(low: float, high: float, show: Any) -> Cell:
    return _number(low, f"{show(low)} to {show(high)}")
