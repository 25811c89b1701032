"""The effects with their intervals around the line of no effect."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.figure_kind import FigureKind
from rnn_mnist.analysis.plots.source import Source, find_source
from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.levels import format_level, format_levels, short_name
from rnn_mnist.analysis.reading.run_directories import ResultsError
from rnn_mnist.analysis.statistics.verdict import Verdict
from rnn_mnist.catalogues.metrics import METRICS, Metric

MOST_ROWS = 40
MOST_LONG_ROWS = 24  # whose labels take two lines and more


@dataclass(frozen=True)
class EffectRow:
    """One comparison of a level with its factor's reference, in the table's unit.

    Attributes:
        low, high: the interval; None where there are too few runs for one.
        minimum_detectable: the difference that would have been found with probability 0.8; None where unknown.
        context: the levels of the other factors, in words.
    """

    factor: str
    label: str
    context: str
    difference: float
    low: float | None
    high: float | None
    minimum_detectable: float | None
    n: int
    failed: int
    verdict: Verdict

    @property
    def significant(self) -> bool:
        """Whether the corrected p-value is below 0.05."""
        return self.verdict in (Verdict.higher, Verdict.lower)


@dataclass(frozen=True)
class ForestInfo:
    """What the figure shows: the ``total`` comparisons, or the largest of them."""

    metric: Metric
    rows: tuple[EffectRow, ...]
    total: int
    source: Source


def forest_info(runs: pd.DataFrame, table: pd.DataFrame) -> ForestInfo:
    """The rows of a table of :func:`rnn_mnist.analysis.statistics.effects.effects`, or the largest of them.

    Raises:
        ResultsError: if nothing can be compared.
    """
    compared = table[table["difference"].notna()]
    if compared.empty:
        raise ResultsError("no two levels of a factor have completed runs, so there is no effect to show")
    names = list(dict.fromkeys(table["factor"]))
    longest = max(len(format_levels(context, names)) for context in compared["context"])
    most = MOST_LONG_ROWS if longest > 24 else MOST_ROWS
    largest = compared["difference"].abs().sort_values(ascending=False).index[:most]
    rows = [_row(row, names) for row in rows_of(compared.loc[sorted(largest)])]
    return ForestInfo(METRICS[table.attrs["metric"]], tuple(rows), len(compared), find_source(runs))


def _describe(info: ForestInfo) -> str:
    clear = sum(row.significant for row in info.rows)
    none = sum(row.verdict is Verdict.identical for row in info.rows)
    text = (
        f"Difference in {info.metric.label.lower()} between each level and its reference, with 95 % intervals. "
        f"{clear} of {len(info.rows)} comparisons remain significant after Holm's correction."
    )
    if none:
        text += f" In {none} the predictions are identical: no effect at all."
    if info.total > len(info.rows):
        text += f" The {len(info.rows)} largest of {info.total} are shown."
    return text


def _draw(info: ForestInfo) -> Figure:
    labels = [style.wrap(row.label + (f"  [{row.context}]" if row.context else ""), 46) for row in info.rows]
    heights = [label.count("\n") + 1 for label in labels]
    figure = style.new_figure(1.15 + sum(0.12 + 0.115 * height for height in heights))
    ax = figure.subplots()
    shown = info.metric.shown
    for place, row in enumerate(info.rows):
        colour = style.series_styles(1)[0].colour if row.significant else style.GREY
        if row.minimum_detectable is not None:
            width = shown(row.minimum_detectable)
            ax.barh(place, 2 * width, left=-width, height=0.72, color="#f0f0f0", zorder=0)
        if row.low is not None and row.high is not None:
            ax.hlines(place, shown(row.low), shown(row.high), color=colour, linewidth=1.6)
        ax.plot(
            shown(row.difference), place, "o", color=colour, markersize=5,
            mfc=colour if row.significant else "white", mew=1.2,
        )  # fmt: skip
        identical = row.verdict is Verdict.identical
        text = "identical predictions" if identical else info.metric.difference(row.difference)
        text += f"   n = {row.n}"
        ax.annotate(text + (f", {row.failed} failed" if row.failed else ""), (1.01, place),
                    xycoords=ax.get_yaxis_transform(), fontsize=6.5, va="center", annotation_clip=False,
                    color=style.FAILED if row.failed else style.INK)  # fmt: skip
    ax.axvline(0, color=style.INK, linewidth=1)
    _limit(ax, info)
    ax.set_yticks(range(len(labels)), labels, fontsize=7 if max(heights) == 1 else 6, linespacing=0.95)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(info.metric.difference_label)
    blue = style.series_styles(1)[0].colour
    handles = [
        Line2D([], [], color=blue, marker="o", label="significant (Holm, 0.05)"),
        Line2D([], [], color=style.GREY, marker="o", mfc="white", label="not resolved"),
        Patch(color="#f0f0f0", label="smaller than these seeds can detect"),
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=3)
    notes = [f"the {len(info.rows)} largest of {info.total}"] if info.total > len(info.rows) else []
    style.add_footer(figure, info.source.text("95 % intervals, each for its one comparison", *notes))
    return figure


def _limit(ax: Axes, info: ForestInfo) -> None:
    """Room for all differences; an interval from very few seeds may run out of the axis rather than set its scale."""
    differences = np.array([info.metric.shown(row.difference) for row in info.rows])
    ends = [info.metric.shown(end) for row in info.rows for end in (row.low, row.high) if end is not None]
    span = max(np.ptp(np.append(differences, 0.0)), 1e-9)
    low, high = min(differences.min(), 0.0), max(differences.max(), 0.0)
    near = [end for end in ends if low - 1.5 * span <= end <= high + 1.5 * span]
    low, high = min([low, *near]), max([high, *near])
    if high - low < 1e-6:
        widths = [info.metric.shown(row.minimum_detectable) for row in info.rows if row.minimum_detectable]
        low, high = -max([0.1, *widths]), max([0.1, *widths])
    margin = 0.06 * (high - low)
    ax.set_xlim(low - margin, high + margin)


def _row(row: dict[str, Any], names: list[str]) -> EffectRow:
    low, high, minimum = (None if np.isnan(row[end]) else row[end] for end in ("low", "high", "minimum_detectable"))
    level, reference = format_level(row["level"]), format_level(row["reference"])
    return EffectRow(
        factor=row["factor"],
        label=f"{short_name(row['factor'], names)}: {level} vs {reference}",
        context=format_levels(row["context"], names),
        difference=row["difference"],
        low=low,
        high=high,
        minimum_detectable=minimum,
        n=row["n"],
        failed=row["failed"] + row["failed_reference"],
        verdict=row["verdict"],
    )


KIND = FigureKind(
    "forest",
    "each level's difference from its factor's first level, around the line of no effect",
    lambda sweep, request: forest_info(sweep.runs, sweep.effects(request.metric)),
    _draw,
    _describe,
    takes=("metric",),
)
