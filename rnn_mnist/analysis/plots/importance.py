"""How much of the variance of a metric each factor explains, interactions and seeds beside them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.figure_kind import FigureKind
from rnn_mnist.analysis.plots.source import Source, find_source
from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.statistics.importance import TermKind, term_text
from rnn_mnist.catalogues.metrics import METRICS, Metric

MOST_ROWS = 20

# Hatches, so that the kinds differ in grey too.
_LOOKS = {
    TermKind.factor: ("#0072B2", "", "factor"),
    TermKind.interaction: ("#E69F00", "////", "interaction"),
    TermKind.higher: ("#E69F00", "////", "interaction"),
    TermKind.seeds: ("#bbbbbb", "....", "seeds (residual)"),
    TermKind.rest: ("#bbbbbb", "xxxx", "interactions and noise"),
}


@dataclass(frozen=True)
class ImportanceRow:
    """One share of the variance.

    Attributes:
        kind: what it goes with.
        term: the factors' keys; empty for the seeds and for what is left.
        by_chance: the share that noise alone would be expected to give it; None where unknown.
        error: the standard error of a share of held-out runs; None for a grid, which is divided exactly.
        ranges: the levels that were searched, on which every share depends.
    """

    kind: TermKind
    term: tuple[str, ...]
    share: float
    by_chance: float | None
    error: float | None
    ranges: str


@dataclass(frozen=True)
class ImportanceInfo:
    """What the figure shows: the largest of ``total`` shares, the seeds last."""

    metric: Metric
    rows: tuple[ImportanceRow, ...]
    total: int
    method: str
    notes: tuple[str, ...]
    source: Source


def importance_info(runs: pd.DataFrame, table: pd.DataFrame) -> ImportanceInfo:
    """The shares in a table of :func:`rnn_mnist.analysis.statistics.importance.importance`, or the largest of them."""
    rows = [
        ImportanceRow(
            kind=row["kind"],
            term=row["term"],
            share=float(row["share"]),
            by_chance=None if np.isnan(row["by_chance"]) else float(row["by_chance"]),
            error=None if np.isnan(row["error"]) else float(row["error"]),
            ranges=row["ranges"],
        )
        for row in rows_of(table)
    ]
    last = [row for row in rows if row.kind is TermKind.seeds]
    kept = [row for row in rows if row.kind is not TermKind.seeds][: MOST_ROWS - len(last)]
    metric, notes, method = METRICS[table.attrs["metric"]], tuple(table.attrs["notes"]), str(table["method"].iloc[0])
    return ImportanceInfo(metric, (*kept, *last), len(rows), method, notes, find_source(runs))


def _describe(info: ImportanceInfo) -> str:
    text = f"Share of the variance of {info.metric.label.lower()} by factor"
    text += " and interaction" if any(row.kind is TermKind.interaction for row in info.rows) else ""
    first = max(info.rows, key=lambda row: row.share)
    text += f", over the ranges searched; the largest part, {100 * first.share:.0f} %, "
    if first.kind is TermKind.seeds:
        text += "lies between seeds."
    elif first.kind is TermKind.rest:
        text += "lies in interactions and noise."
    else:
        text += f"goes with {term_text(first.kind, first.term)}."
    nothing = [row for row in info.rows if row.kind is TermKind.factor and row.error is not None and row.share == 0]
    if nothing:
        names = ", ".join(term_text(row.kind, row.term) for row in nothing)
        text += f" Held-out runs are predicted no better with {names}."
    chance = [row for row in info.rows if row.kind is TermKind.factor and row.by_chance and row.share <= row.by_chance]
    if chance:
        text += f" No more than noise would give: {', '.join(term_text(row.kind, row.term) for row in chance)}."
    return " ".join([text, *(f"{note}." for note in info.notes)])


def _draw(info: ImportanceInfo) -> Figure:
    names = [key for row in info.rows if row.kind is TermKind.factor for key in row.term]
    labels = [style.wrap(term_text(row.kind, row.term, names), 44) for row in info.rows]
    ranges = ["" if row.kind is TermKind.interaction else style.wrap(row.ranges, 50) for row in info.rows]
    heights = [max(label.count("\n"), text.count("\n")) + 1 for label, text in zip(labels, ranges, strict=True)]
    figure = style.new_figure(min(1.2 + sum(0.16 + 0.11 * height for height in heights), 9.0))
    ax = figure.subplots()
    for place, row in enumerate(info.rows):
        colour, hatch, _ = _LOOKS[row.kind]
        ax.barh(place, 100 * row.share, height=0.62, color=colour, hatch=hatch, edgecolor="white", linewidth=0)
        if row.by_chance is not None:
            ax.plot([100 * row.by_chance] * 2, [place - 0.4, place + 0.4], color=style.INK, linewidth=1.2)
        beside = 100 * max(row.share, row.by_chance or 0, _upper(row))
        spread = ""
        if row.error is not None:
            ax.plot(
                [100 * max(0.0, row.share - row.error), 100 * _upper(row)], [place] * 2, color=style.INK, linewidth=1
            )
            spread = f" ± {100 * row.error:.1f}"
        ax.annotate(f"{100 * row.share:.1f}{spread} %", (beside, place), xytext=(4, 0), textcoords="offset points",
                    va="center", fontsize=7)  # fmt: skip
        ax.annotate(ranges[place], (1.0, place), xycoords=ax.get_yaxis_transform(), ha="right", va="center",
                    fontsize=5.8, color="#555555", zorder=5)  # fmt: skip
    ax.set_yticks(range(len(labels)), labels, fontsize=7.5 if len(labels) <= 14 else 6, linespacing=0.95)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    widest = max(max(row.share, row.by_chance or 0, _upper(row)) for row in info.rows)
    # The bars in the left part, the ranges searched in the right.
    ax.set_xlim(0, max(100 * widest, 1e-6) * (2.3 if any(row.error is not None for row in info.rows) else 1.9))
    ax.set_xticks([tick for tick in ax.get_xticks() if tick <= min(100, 105 * max(widest, 1e-8))])
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(f"Share of the variance of {info.metric.label.lower()} (%)", loc="left")
    ax.set_title("levels searched", loc="right", fontsize=6.5, color="#555555")
    figure.legend(handles=_handles(info), loc="outside upper left", ncols=4)
    notes = [f"the {len(info.rows)} largest of {info.total}"] if info.total > len(info.rows) else []
    style.add_footer(figure, info.source.text(info.method, *notes, *info.notes))
    return figure


def _upper(row: ImportanceRow) -> float:
    return row.share + (row.error or 0.0)


def _handles(info: ImportanceInfo) -> list[Patch | Line2D]:
    kinds = {row.kind for row in info.rows}
    looks = dict.fromkeys(look for kind, look in _LOOKS.items() if kind in kinds)
    handles: list[Patch | Line2D] = [
        Patch(facecolor=colour, hatch=hatch, edgecolor="white", linewidth=0, label=label)
        for colour, hatch, label in looks
    ]
    if any(row.by_chance is not None for row in info.rows):
        handles.append(
            Line2D([], [], color=style.INK, marker="|", linestyle="none", markersize=9, label="expected by chance")
        )
    if any(row.error is not None for row in info.rows):
        handles.append(Line2D([], [], color=style.INK, linewidth=1, label="± standard error"))
    return handles


KIND = FigureKind(
    "importance",
    "the share of the variance that each factor and interaction accounts for",
    lambda sweep, request: importance_info(sweep.runs, sweep.importance(request.metric)),
    _draw,
    _describe,
    takes=("metric",),
    narrowest=5.0,
)
