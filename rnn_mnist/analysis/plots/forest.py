"""The main effects: each level's difference from its factor's reference, around the line of no effect."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.differences import (
    LOOKS,
    MARGIN_COLOUR,
    Difference,
    axis_label,
    axis_range,
    differences,
    interval_note,
    signed,
    verdict_counts,
    verdict_handles,
)
from rnn_mnist.analysis.plots.figure_kind import FigureKind
from rnn_mnist.analysis.plots.source import Source, find_source
from rnn_mnist.analysis.reading.levels import format_level, short_name
from rnn_mnist.analysis.reading.outcomes import missing_text, outcomes
from rnn_mnist.analysis.reading.run_directories import ResultsError
from rnn_mnist.catalogues.metrics import METRICS, Metric

MOST_ROWS = 60
MOST_ALIKE = 6
_LINE = 0.125  # inches


@dataclass(frozen=True)
class ForestBlock:
    """The contrasts of one factor.

    Attributes:
        heading: the factor and its reference.
        rows: those that are shown, in the table's order; rows at a level of another factor follow their main effect.
        hidden: those that are not.
    """

    heading: str
    rows: tuple[Difference, ...]
    hidden: tuple[Difference, ...]


@dataclass(frozen=True)
class ForestInfo:
    """What the figure shows.

    Attributes:
        margin: differences within it are equivalent, in the table's unit; None without one.
        intervals: what the intervals are, in words.
        missing: runs without an outcome.
    """

    metric: Metric
    margin: float | None
    blocks: tuple[ForestBlock, ...]
    intervals: str
    missing: int
    source: Source

    @property
    def rows(self) -> list[Difference]:
        """All rows that are shown."""
        return [row for block in self.blocks for row in block.rows]

    @property
    def hidden(self) -> list[Difference]:
        """All rows that are not."""
        return [row for block in self.blocks for row in block.hidden]


def forest_info(runs: pd.DataFrame, table: pd.DataFrame, *, most: int = MOST_ROWS) -> ForestInfo:
    """The rows of a table of :func:`rnn_mnist.analysis.statistics.effects.effects`, by factor.

    Where more than a few levels of a factor cannot be compared (as in a random search), they are counted in one line.
    Beyond ``most`` rows every factor keeps an equal share, evenly over its levels, and the rest is counted: to keep the
    largest would show what noise has made large.

    Raises:
        ResultsError: if the table is empty.
    """
    if table.empty:
        raise ResultsError("no factor has levels that could be compared: there is one, or they were sampled")
    rows = differences(table)
    by_factor = {factor: [row for row in rows if row.factor == factor] for factor in dict.fromkeys(table["factor"])}
    listed = {factor: _worth_a_line(block) for factor, block in by_factor.items()}
    shares = _shares([len(block) for block in listed.values()], most)
    blocks = []
    for (factor, block), share in zip(listed.items(), shares, strict=True):
        kept = [block[i] for i in np.linspace(0, len(block) - 1, share).round().astype(int)] if block else []
        references = dict.fromkeys(format_level(row.reference) for row in by_factor[factor])
        blocks.append(
            ForestBlock(
                heading=f"{short_name(factor, list(by_factor))}, against {' or '.join(references)}",
                rows=tuple(kept),
                hidden=tuple(row for row in by_factor[factor] if not any(row is other for other in kept)),
            )
        )
    return ForestInfo(
        metric=METRICS[table.attrs["metric"]],
        margin=table.attrs.get("margin"),
        blocks=tuple(blocks),
        intervals=interval_note(table.attrs),
        missing=outcomes(runs).missing,
        source=find_source(runs),
    )


def _worth_a_line(block: Sequence[Difference]) -> list[Difference]:
    """The rows of a factor without those of a verdict that many share for a reason other than their data."""
    alike = Counter(row.verdict for row in block if row.reason)
    return [row for row in block if not row.reason or alike[row.verdict] <= MOST_ALIKE]


def _shares(sizes: Sequence[int], most: int) -> list[int]:
    """How many rows each block keeps: all if they fit, else small blocks whole and large ones equally many."""
    cap = max([*sizes, 0])
    while cap > 1 and sum(min(size, cap) for size in sizes) > most:
        cap -= 1
    return [min(size, cap) for size in sizes]


def _describe(info: ForestInfo) -> str:
    rows = [*info.rows, *info.hidden]
    better = {True: "higher is better", False: "lower is better", None: "neither direction is better"}
    averaged = ", averaged over the other factors seed by seed" if len(info.blocks) > 1 else ""
    text = (
        f"Difference in {info.metric.label.lower()} between each level and its factor's reference{averaged} "
        f"({better[info.metric.higher_is_better]}). "
        f"Of {len(rows)} contrast{'' if len(rows) == 1 else 's'}: {verdict_counts(rows)}."
    )
    misleading = list(dict.fromkeys(row.depends_on for row in rows if row.depends_on))
    if misleading:
        text += f" Some main effects depend on {', '.join(misleading)}, and are split by it."
    if any(row.failures for row in rows):
        text += " Differences are of the runs that finished; diverged ones are counted beside them."
    if info.hidden:
        text += f" {len(info.rows)} of {len(rows)} rows are shown; the others are counted."
    return text


def _draw(info: ForestInfo) -> Figure:
    labels, entries = _lines(info)
    heights = [
        0.06 + _LINE * max(label.count("\n") + 1, _height(entry)) for label, entry in zip(labels, entries, strict=True)
    ]
    figure = style.new_figure(1.0 + sum(heights))
    ax = figure.subplots()
    ax.set_xlim(*axis_range(info.rows, info.metric, info.margin))
    ax.axvline(0, color=style.INK, linewidth=1, zorder=1)
    if not any(row.comparable for row in info.rows):
        ax.set_xticks([])
    elif info.margin is not None:
        ax.axvspan(-info.metric.shown(info.margin), info.metric.shown(info.margin), color=MARGIN_COLOUR, zorder=0)
    # A line takes as much of the axis as its text is high.
    edges = np.cumsum([0.0, *heights])
    places = (edges[:-1] + edges[1:]) / 2
    for place, entry in zip(places, entries, strict=True):
        if isinstance(entry, Difference):
            _draw_row(ax, float(place), entry, info)
        elif entry is not None:
            _write_over(ax, float(place), entry)
    ax.set_yticks(places, labels, fontsize=7, linespacing=0.95)
    for tick, entry in zip(ax.get_yticklabels(), entries, strict=True):
        tick.set(**_label_look(entry))
    ax.set_ylim(edges[-1] + 0.03, -0.03)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(axis_label(info.metric))
    handles = verdict_handles(info.rows, info.metric, info.margin)
    figure.legend(handles=handles, loc="outside upper right", ncols=6, handlelength=1.6, columnspacing=1.2)
    hidden = f"{len(info.rows)} of {len(info.rows) + len(info.hidden)} rows" if info.hidden else ""
    averages = "faded: depends on another factor" if any(row.depends_on for row in info.rows) else ""
    style.add_footer(figure, info.source.text(info.intervals, averages, hidden, missing_text(info.missing)))
    return figure


def _label_look(entry: Difference | str | None) -> dict[str, Any]:
    """How the label of a line is written: a heading, a count, or a row, smaller below another one."""
    if entry is None:
        return {"fontweight": "bold"}
    if isinstance(entry, str):
        return {"fontsize": 6.5, "style": "italic", "color": "#555555"}
    return {"fontsize": 6.5} if entry.at else {}


def _lines(info: ForestInfo) -> tuple[list[str], list[Difference | str | None]]:
    """The labels of all lines from above, and what each is: a row, the heading of a block (None), or a count (text)."""
    labels: list[str] = []
    entries: list[Difference | str | None] = []
    for block in info.blocks:
        labels.append(style.wrap(block.heading, 40))
        entries.append(None)
        for row in block.rows:
            label = f"↳ {row.label}, at {row.at}" if row.at else row.label
            label += f" (depends on {row.depends_on})" if row.depends_on else ""
            labels.append(style.wrap(label, 36))
            entries.append(row)
        if block.hidden:
            reasons = [reason for reason, _ in Counter(row.reason for row in block.hidden if row.reason).most_common()]
            why = "; ".join(reasons[:2]) + (" …" if len(reasons) > 2 else "")
            counts = verdict_counts(block.hidden) + (f" ({why})" if why else "")
            labels.append(f"{len(block.hidden)}{' more' if block.rows else ''} levels")
            entries.append(counts)
    return labels, entries


def _draw_row(ax: Axes, place: float, row: Difference, info: ForestInfo) -> None:
    if not row.comparable or row.difference is None:
        there = f" ({signed(row.difference, info.metric)} as it stands)" if row.difference is not None else ""
        failures = f"; {row.failures}" if row.failures and row.failures not in row.reason else ""
        _write_over(ax, place, row.words + there + failures)
        return
    shown, look = info.metric.shown, LOOKS[row.verdict]
    faded = 0.45 if row.depends_on else 1.0
    if row.low is not None and row.high is not None:
        ax.hlines(place, shown(row.low), shown(row.high), color=look.colour, linewidth=1.6, alpha=faded, zorder=3)
    ax.plot(
        shown(row.difference), place, look.marker, color=look.colour, markersize=5.5, alpha=faded,
        mfc=look.colour if look.filled else "white", mew=1.1, zorder=4,
    )  # fmt: skip
    extra = row.failures or row.reason
    beside = ax.get_yaxis_transform()  # x as a share of the axis, y in data
    for text, line, colour in (
        (_numbers(row, info.metric), 4 if extra else 0, style.INK),
        (extra, -4, style.FAILED if row.failures else "#555555"),
    ):
        ax.annotate(text, (1.015, place), xytext=(0, line), textcoords="offset points", xycoords=beside, fontsize=6.4,
                    va="center", annotation_clip=False, color=colour)  # fmt: skip


def _write_over(ax: Axes, place: float, words: str) -> None:
    """Words in place of a difference, across the axis."""
    ax.annotate(textwrap.shorten(words, 110, placeholder=" …"), (0.01, place), xycoords=ax.get_yaxis_transform(),
                fontsize=6.3, va="center", style="italic", color="#555555", annotation_clip=False,
                bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.5}, zorder=5)  # fmt: skip


def _height(entry: Difference | str | None) -> int:
    """Lines of text that an entry takes beside the axis."""
    return 2 if isinstance(entry, Difference) and entry.comparable and (entry.failures or entry.reason) else 1


def _numbers(row: Difference, metric: Metric) -> str:
    """The estimate with its interval, the verdict in a word, and the number of seeds."""
    if row.difference is None:
        return ""
    text = signed(row.difference, metric)
    if row.low is not None and row.high is not None:
        text += f" [{signed(row.low, metric)}, {signed(row.high, metric)}]"
    return f"{text}  {row.verdict}, n={row.seeds}"


KIND = FigureKind(
    "forest",
    "each level's difference from its factor's reference, around the line of no effect",
    lambda sweep, request: forest_info(sweep.runs, sweep.effects(request.metric)),
    _draw,
    _describe,
    takes=("metric",),
    narrowest=5.0,
)
