"""Test accuracy of the classifier applied after each time step: after which row does it know the digit?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.curves import (
    MOST_IN_A_PANEL,
    MOST_PANELS,
    Curve,
    curve,
    draw_curve,
    small_multiples,
    spread_evenly,
)
from rnn_mnist.analysis.plots.figure_kind import FigureKind
from rnn_mnist.analysis.plots.settings import are_ordered, full_name, group_settings
from rnn_mnist.analysis.plots.source import Source, find_source
from rnn_mnist.analysis.reading.levels import short_name
from rnn_mnist.analysis.reading.results import accuracy_by_step
from rnn_mnist.analysis.reading.run_directories import ResultsError

CHANCE = 0.1


@dataclass(frozen=True)
class TimeStepsInfo:
    """What the figure shows.

    Attributes:
        settings: label and curve of each (some of ``total``, evenly from the best to the worst, if there are too many).
        half_way: for each, the first step after which the accuracy is half-way between chance and its end.
        bidirectional: whether some network reads backwards too, and so has seen the rest of the image at every step.
        unit: what a step is.
    """

    settings: tuple[tuple[str, Curve], ...]
    half_way: tuple[int, ...]
    total: int
    legend_title: str | None
    ordered: bool
    bidirectional: bool
    unit: str
    source: Source


def time_steps_info(runs: pd.DataFrame, *, factors: Sequence[str]) -> TimeStepsInfo:
    """The curves of every setting.

    Raises:
        ResultsError: if no run has stored its accuracy by step.
    """
    steps = accuracy_by_step(runs)
    if steps.empty:
        raise ResultsError(f"{', '.join(dict.fromkeys(runs['sweep']))}: no run has an accuracy_by_step.csv")
    settings = []
    for setting in group_settings(runs, factors):
        own = steps[steps["directory"].isin(setting.runs["directory"])]
        if not own.empty:
            settings.append((setting.label, curve(own, "step", "test_accuracy")))
    ends = [float(np.nanmean([seed[-1] for seed in shown.seeds])) for _, shown in settings]
    chosen = spread_evenly(ends, MOST_PANELS)
    kinds = set(steps["sequence.kind"])
    return TimeStepsInfo(
        settings=tuple(settings[i] for i in chosen),
        half_way=tuple(_half_way(settings[i][1]) for i in chosen),
        total=len(settings),
        legend_title=short_name(factors[0]) if len(factors) == 1 else None,
        ordered=are_ordered(runs, factors),
        bidirectional=bool(steps["model.bidirectional"].any()),
        unit={"rows": "row", "columns": "column"}.get(next(iter(kinds)), "step") if len(kinds) == 1 else "step",
        source=find_source(runs),
    )


def _describe(info: TimeStepsInfo) -> str:
    text = f"Test accuracy when the classifier is applied after each time step ({info.unit}). "
    first, last = min(info.half_way), max(info.half_way)
    when = f"{info.unit} {first}" if first == last else f"{info.unit}s {first} to {last}"
    text += f"Half of the way from chance to the end is reached after {when}."
    if info.bidirectional:
        text += " A backward direction has read the rest of the image at every step."
    return text


def _draw(info: TimeStepsInfo) -> Figure:
    if len(info.settings) > MOST_IN_A_PANEL:
        return _draw_small_multiples(info)
    figure = style.new_figure(3.0)
    ax = figure.subplots()
    styles = style.series_styles(len(info.settings), ordered=info.ordered)
    for (_, shown), look in zip(info.settings, styles, strict=True):
        draw_curve(ax, shown, look, factor=100)
    ax.axhline(100 * CHANCE, color=style.GREY, linewidth=0.8, linestyle=":")
    ax.annotate("chance", (1, 100 * CHANCE), xycoords=("axes fraction", "data"), xytext=(0, -3),
                textcoords="offset points", ha="right", va="top", fontsize=6.5, color=style.GREY)  # fmt: skip
    ax.set_ylim(0, 102)
    ax.set_xlabel(f"Time step ({info.unit})" if info.unit != "step" else "Time step")
    ax.set_ylabel("Test accuracy (%)")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if info.total > 1:
        pairs = zip(info.settings, styles, strict=True)
        handles = [style.series_handle(look, label, line="-") for (label, _), look in pairs]
        style.outside_legend(figure, handles, info.legend_title)
    style.add_footer(figure, info.source.text(*_notes(info)))
    return figure


def _draw_small_multiples(info: TimeStepsInfo) -> Figure:
    figure, panels = small_multiples(len(info.settings))
    look = style.series_styles(1)[0]
    for ax, (label, shown) in zip(panels, info.settings, strict=True):
        for _, other in info.settings:
            ax.plot(other.x, 100 * (other.mean if other.has_mean else other.seeds[0]), color=style.PALE, linewidth=0.6)
        draw_curve(ax, shown, look, factor=100, markers=False)
        ax.set_title(style.wrap(full_name(info.legend_title, label), 32), fontsize=6, loc="left", pad=2)
        ax.set_ylim(0, 102)
        ax.tick_params(labelsize=6)
    figure.supylabel("Test accuracy (%)", fontsize=8.5)
    style.add_footer(figure, "horizontal: time step; grey: the other settings · " + info.source.text(*_notes(info)))
    return figure


def _half_way(shown: Curve) -> int:
    centre = shown.mean if shown.has_mean else np.nanmean(np.array(shown.seeds), axis=0)
    return int(shown.x[np.argmax(centre >= (CHANCE + centre[-1]) / 2)])


def _notes(info: TimeStepsInfo) -> list[str]:
    notes = [style.seed_count([len(shown.seeds) for _, shown in info.settings], "setting")]
    if any(shown.has_mean for _, shown in info.settings):
        notes.append("mean and 95 % band")
    if len(info.settings) < info.total:
        notes.append(f"{len(info.settings)} of {info.total} settings, evenly from best to worst")
    if info.bidirectional:
        notes.append("a backward direction has read the rest at every step")
    return notes


KIND = FigureKind(
    "time_steps",
    "test accuracy of the classifier applied after every time step",
    lambda sweep, request: time_steps_info(sweep.runs, factors=sweep.factors_from(request.factor)),
    _draw,
    _describe,
    takes=("factor",),
)
