"""The tables of the report: cells with what is shown and what they are sorted by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnn_mnist.analysis.plots.forest import short_context
from rnn_mnist.analysis.reading.levels import format_level, plain, short_name
from rnn_mnist.analysis.statistics.summary import summary_table


@dataclass(frozen=True)
class Cell:
    """What a reader sees, and the number (or text) that the column is sorted by."""

    text: str
    sort: float | str


@dataclass(frozen=True)
class Column:
    """A heading, an explanation that appears on it, whether its cells are numbers, and whether they hold sentences."""

    heading: str
    hint: str = ""
    numeric: bool = False
    wide: bool = False


@dataclass(frozen=True)
class ReportTable:
    """A table that can be sorted by each of its columns."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


def settings_table(runs: pd.DataFrame, factors: Sequence[str]) -> ReportTable:
    """One row a setting."""
    columns = [Column(short_name(key, factors), key) for key in factors]
    columns += [
        Column("runs", "completed runs", numeric=True),
        Column("failed", "runs that ended without a result", numeric=True),
        Column("test accuracy", "mean, on the standard test images", numeric=True),
        Column("95 % interval", "of the mean (t); none for fewer than three runs", numeric=True),
        Column("std. dev.", "between seeds, percentage points", numeric=True),
        Column("parameters", numeric=True),
        Column("seconds", "training time of a run", numeric=True),
    ]
    rows = []
    for row in summary_table(runs).to_dict("records"):
        cells = [_level(row[key]) for key in factors]
        cells += [_number(row["n"], "{:.0f}"), _number(row["failed"], "{:.0f}"), _per_cent(row["mean"])]
        cells += [_interval(row["low"], row["high"]), _number(100 * row["standard_deviation"], "{:.2f}")]
        cells += [_number(row.get("parameters"), "{:,.0f}"), _number(row.get("train_seconds"), "{:.1f}")]
        rows.append(tuple(cells))
    return ReportTable(tuple(columns), tuple(rows))


def effects_table(table: pd.DataFrame) -> ReportTable:
    """One row a comparison, from :func:`rnn_mnist.analysis.statistics.effects.effects`."""
    names = list(dict.fromkeys(table["factor"]))
    with_context = bool((table["context"] != "").any())
    columns = [Column("factor"), Column("level"), Column("reference")]
    columns += [Column("with", "the levels of the other factors")] if with_context else []
    columns += [
        Column("difference", "level less reference, percentage points", numeric=True),
        Column("95 % interval", "of this one comparison", numeric=True),
        Column("p (Holm)", "corrected over all comparisons of this table", numeric=True),
        Column("verdict", wide=True),
        Column("detectable", "the difference that these seeds find with probability 0.8", numeric=True),
        Column("P(better)", "that a run of the level beats one of the reference", numeric=True),
        Column("runs", "of the level and of the reference", numeric=True),
        Column("test", "Welch's t, or paired on shared seeds"),
    ]
    rows = []
    for row in table.to_dict("records"):
        cells = [_text(short_name(row["factor"], names)), _level(row["level"]), _level(row["reference"])]
        cells += [_text(short_context(row["context"], names))] if with_context else []
        cells += [_number(100 * row["difference"], "{:+.2f}"), _interval(row["low"], row["high"], sign=True)]
        cells += [_p_value(row["p_holm"]), _text(row["verdict"]), _number(100 * row["minimum_detectable"], "{:.2f}")]
        cells += [_number(row["probability_of_improvement"], "{:.2f}")]
        cells += [Cell(f"{row['n']}, {row['n_reference']}", row["n"]), _text(row["test"])]
        rows.append(tuple(cells))
    return ReportTable(tuple(columns), tuple(rows))


def unsuccessful_table(runs: pd.DataFrame, factors: Sequence[str]) -> ReportTable:
    """One row for each run that is not completed, with its cause."""
    columns = [Column("run"), *(Column(short_name(key, factors), key) for key in factors)]
    columns += [Column("seed", numeric=True), Column("state"), Column("cause", wide=True)]
    rows = []
    for row in runs[runs["status"] != "completed"].to_dict("records"):
        cause = str(row["error"]) if plain(row["error"]) is not None else "–"
        cells = [_text(row["run"]), *(_level(row[key]) for key in factors)]
        rows.append((*cells, _number(row["seed"], "{:.0f}"), _text(row["status"]), _text(cause)))
    return ReportTable(tuple(columns), tuple(rows))


def _text(value: object) -> Cell:
    return Cell(str(value), str(value).lower())


def _level(value: Any) -> Cell:
    value = plain(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Cell(format_level(value), float(value) if is_number else format_level(value))


def _number(value: float | None, form: str) -> Cell:
    if value is None or math.isnan(value):
        return Cell("–", "")
    return Cell(form.format(value), float(value))


def _per_cent(value: float) -> Cell:
    return _number(100 * value, "{:.2f} %")


def _interval(low: float, high: float, *, sign: bool = False) -> Cell:
    if math.isnan(low):
        return Cell("–", "")
    form = "{:+.2f} to {:+.2f}" if sign else "{:.2f} to {:.2f}"
    return Cell(form.format(100 * low, 100 * high), 100 * low)


def _p_value(value: float) -> Cell:
    if not math.isnan(value) and value < 0.0001:
        return Cell("< 0.0001", value)
    return _number(value, "{:.4f}")
