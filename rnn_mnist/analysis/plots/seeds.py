"""The distribution of runs in each setting: how much does the seed alone change?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.curves import spread_evenly
from rnn_mnist.analysis.plots.figure_kind import FigureKind
from rnn_mnist.analysis.plots.replicates import Replicates, replicates
from rnn_mnist.analysis.plots.settings import full_name, group_settings
from rnn_mnist.analysis.plots.source import Source, find_source
from rnn_mnist.analysis.plots.value_axis import find_range
from rnn_mnist.analysis.reading.levels import key_label, short_name
from rnn_mnist.analysis.reading.outcomes import missing_text, outcomes
from rnn_mnist.analysis.reading.results import check_metric, completed
from rnn_mnist.catalogues.metrics import Metric

MOST_ROWS = 40
MOST_LONG_ROWS = 24  # whose labels take two lines and more
LABEL_WIDTH = 44


@dataclass(frozen=True)
class SettingSeeds:
    """One setting; ``standard_deviation`` of a single run, None for fewer than 3."""

    label: str
    reached: Replicates
    standard_deviation: float | None


@dataclass(frozen=True)
class SeedsInfo:
    """What the figure shows: some of ``total`` settings, from the best to the worst if there are too many."""

    metric: Metric
    factors: tuple[str, ...]
    settings: tuple[SettingSeeds, ...]
    total: int
    missing: int
    source: Source


def seeds_info(runs: pd.DataFrame, *, factors: Sequence[str], metric: str = "test_accuracy") -> SeedsInfo:
    """The runs of each setting."""
    judged = check_metric(runs, metric)
    completed(runs)
    settings = []
    for setting in group_settings(runs, factors):
        reached = replicates(setting.runs, metric)
        deviation = float(np.std(reached.values, ddof=1)) if reached.mean is not None else None
        settings.append(SettingSeeds(setting.label, reached, deviation))
    most = MOST_LONG_ROWS if max(len(setting.label) for setting in settings) > LABEL_WIDTH else MOST_ROWS
    sign = -1.0 if judged.higher_is_better is False else 1.0
    scores = [sign * float(np.mean(setting.reached.values)) if setting.reached.n else np.nan for setting in settings]
    chosen = spread_evenly(scores, most)
    return SeedsInfo(
        metric=judged,
        factors=tuple(factors),
        settings=tuple(settings[i] for i in chosen),
        total=len(settings),
        missing=outcomes(runs).missing,
        source=find_source(runs),
    )


def _describe(info: SeedsInfo) -> str:
    text = f"{info.metric.label} of every run, a row for each setting."
    title = short_name(info.factors[0]) if len(info.factors) == 1 else None
    spreads = [
        (setting.standard_deviation, full_name(title, setting.label))
        for setting in info.settings
        if setting.standard_deviation is not None
    ]
    if spreads:
        (low, steadiest), (high, least_steady) = min(spreads), max(spreads)
        text += " The standard deviation between seeds is " + (
            f"{info.metric.size_text(low)}."
            if len(spreads) == 1
            else f"{info.metric.size_text(low)} ({steadiest}) to {info.metric.size_text(high)} ({least_steady})."
        )
    if len(info.settings) < info.total:
        text += f" {len(info.settings)} of {info.total} settings are shown, evenly from the best to the worst."
    return text


def _draw(info: SeedsInfo) -> Figure:
    labels = [style.wrap(setting.label, LABEL_WIDTH) for setting in info.settings]
    heights = [
        max(label.count("\n") + 1, 2 if setting.reached.failed else 1)
        for label, setting in zip(labels, info.settings, strict=True)
    ]
    figure = style.new_figure(1.0 + sum(0.13 + 0.11 * height for height in heights))
    ax = figure.subplots()
    look = style.series_styles(1)[0]
    values = np.array([value for setting in info.settings for value in setting.reached.values])
    value_range = find_range(info.metric.shown(values), np.array([]), higher_is_better=info.metric.higher_is_better)
    ax.set_xlim(value_range.low, value_range.high)
    for row, setting in enumerate(info.settings):
        shown = info.metric.shown(np.array(setting.reached.values))
        inside = value_range.inside(shown)
        offsets = np.linspace(-0.16, 0.16, len(shown)) if len(shown) > 1 else np.zeros(len(shown))
        ax.plot(shown[inside], row + offsets[inside], "o", color=look.colour, alpha=0.6, mew=0, markersize=4)
        if inside.any():
            ax.hlines(row, shown[inside].min(), shown[inside].max(), color=style.PALE, linewidth=4, zorder=0)
        if len(shown) and value_range.inside(np.array([np.median(shown)]))[0]:
            ax.plot(np.median(shown), row, "|", color=style.INK, markersize=9, mew=1.5)
        _mark_beyond(ax, row, shown[~inside], info.metric, look.colour, above=value_range.above)
        deviation, diverged = setting.standard_deviation, setting.reached.outcomes.diverged_text
        spread = f"   s = {info.metric.size_text(deviation)}" if deviation is not None else ""
        ax.annotate(f"n = {setting.reached.n}{spread}", (1.01, row), xycoords=ax.get_yaxis_transform(),
                    xytext=(0, 3.5 if diverged else 0), textcoords="offset points", fontsize=6.5, va="center",
                    annotation_clip=False)  # fmt: skip
        if diverged:
            ax.annotate(diverged, (1.01, row), xycoords=ax.get_yaxis_transform(), xytext=(0, -3.5),
                        textcoords="offset points", fontsize=6, va="center", annotation_clip=False,
                        color=style.FAILED)  # fmt: skip
    ax.set_yticks(
        range(len(labels)), labels, fontsize=6 if any("\n" in label for label in labels) else 7, linespacing=0.95
    )
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(info.metric.axis_label)
    if len(info.factors) == 1:
        ax.set_ylabel(style.wrap(key_label(info.factors[0]), 16 + 4 * len(labels)))
    handles = [Line2D([], [], color=style.INK, marker="|", linestyle="none", markersize=9, mew=1.5, label="median")]
    handles += [style.beyond_handle(above=value_range.above, sideways=True)] if value_range.clipped else []
    figure.legend(handles=handles, loc="outside upper right", ncols=2)
    notes = [f"{len(info.settings)} of {info.total} settings, from best to worst"] if len(labels) < info.total else []
    notes.append(missing_text(info.missing))
    style.add_footer(figure, info.source.text("s: standard deviation between seeds", *notes))
    return figure


def _mark_beyond(ax: Axes, row: int, beyond: np.ndarray, metric: Metric, colour: str, *, above: bool) -> None:
    """Runs beyond the axis, at its end, with their value."""
    if not len(beyond):
        return
    farthest = beyond.max() if above else beyond.min()
    text = f"{farthest:.{metric.decimals}f}" + (f" ×{len(beyond)}" if len(beyond) > 1 else "")
    place, marker = (0.988, ">") if above else (0.012, "<")
    ax.plot(place, row, marker, color=colour, transform=ax.get_yaxis_transform(), clip_on=False)
    ax.annotate(text, (place, row), xycoords=ax.get_yaxis_transform(), xytext=(-5 if above else 5, 0),
                textcoords="offset points", fontsize=6, ha="right" if above else "left", va="center")  # fmt: skip


KIND = FigureKind(
    "seeds",
    "the runs of each setting, and their spread",
    lambda sweep, request: seeds_info(sweep.runs, factors=sweep.factors_from(request.factor), metric=request.metric),
    _draw,
    _describe,
    takes=("factor", "metric"),
    narrowest=5.0,
)
