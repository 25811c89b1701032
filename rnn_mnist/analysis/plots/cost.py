"""Accuracy against parameters and against seconds, with the settings that nothing cheaper beats."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.figure_kind import FigureKind
from rnn_mnist.analysis.plots.replicates import Replicates, replicates
from rnn_mnist.analysis.plots.settings import are_ordered, full_name, group_settings
from rnn_mnist.analysis.plots.source import Source, find_source
from rnn_mnist.analysis.plots.value_axis import ValueRange, draw_marks, find_range
from rnn_mnist.analysis.reading.levels import short_name
from rnn_mnist.analysis.reading.results import check_metric, completed
from rnn_mnist.catalogues.metrics import METRICS, Metric
from rnn_mnist.runs.record import State

MOST_IN_A_LEGEND = 10
COSTS = ("parameters", "train_seconds")


@dataclass(frozen=True)
class SettingCost:
    """One setting: what it reached, and the mean of each of :data:`COSTS` (NaN where no run has completed)."""

    label: str
    reached: Replicates
    average: float
    costs: tuple[float, float]


@dataclass(frozen=True)
class CostInfo:
    """What the figure shows; ``fronts`` are, for each cost, the settings on the Pareto front, from cheap to dear."""

    metric: Metric
    settings: tuple[SettingCost, ...]
    fronts: tuple[tuple[int, ...], ...]
    legend_title: str | None
    ordered: bool
    devices: tuple[str, ...]
    source: Source


def cost_info(runs: pd.DataFrame, *, factors: Sequence[str], metric: str = "test_accuracy") -> CostInfo:
    """What each setting reached and what it cost."""
    judged = check_metric(runs, metric)
    finished = completed(runs)
    settings = []
    for setting in group_settings(runs, factors):
        own = setting.runs[setting.runs["status"] == State.completed]
        costs = tuple(float(own[cost].mean()) for cost in COSTS)
        average = float(own[metric].mean())
        settings.append(SettingCost(setting.label, replicates(setting.runs, metric), average, (costs[0], costs[1])))
    sign = -1.0 if judged.higher_is_better is False else 1.0
    reached = np.array([sign * setting.average for setting in settings])
    fronts = [pareto_front(np.array([setting.costs[i] for setting in settings]), reached) for i in range(len(COSTS))]
    return CostInfo(
        metric=judged,
        settings=tuple(settings),
        fronts=tuple(tuple(front) for front in fronts),
        legend_title=short_name(factors[0]) if len(factors) == 1 else None,
        ordered=are_ordered(runs, factors),
        devices=tuple(dict.fromkeys(finished["device"].dropna())),
        source=find_source(runs),
    )


def pareto_front(costs: np.ndarray, reached: np.ndarray) -> list[int]:
    """The indices of the points than which none is as cheap and better; from the cheapest to the dearest.

    Args:
        costs: ``[point]``; less is better.
        reached: ``[point]``; more is better. Points with a NaN are on no front.
    """
    front: list[int] = []
    best = -np.inf
    for index in np.lexsort((-reached, costs)):
        if np.isfinite(costs[index]) and reached[index] > best:
            front.append(int(index))
            best = reached[index]
    return front


def _describe(info: CostInfo) -> str:
    named = ["; ".join(full_name(info.legend_title, info.settings[i].label) for i in front) for front in info.fronts]
    text = (
        f"{info.metric.label} against the number of parameters and the training time (on {', '.join(info.devices)}). "
    )
    if named[0] == named[1]:
        return text + f"By either cost no cheaper setting beats: {named[0]}."
    return text + f"No smaller setting beats: {named[0]}. No faster one beats: {named[1]}."


def _draw(info: CostInfo) -> Figure:
    figure = style.new_figure(3.1)
    panels = figure.subplots(1, 2, sharey=True)
    values = np.array([value for setting in info.settings for value in setting.reached.values])
    ends = [end for setting in info.settings for end in (setting.reached.low, setting.reached.high) if end is not None]
    value_range = find_range(info.metric.shown(values), info.metric.shown(np.array(ends)))
    styles = style.series_styles(len(info.settings), ordered=info.ordered)
    crowded = len(info.settings) > MOST_IN_A_LEGEND
    if crowded:
        styles = [style.SeriesStyle(style.GREY, "o", "-")] * len(info.settings)
    devices = style.wrap(", ".join(info.devices), 40)
    labels = (METRICS["parameters"].axis_label, f"Training time on {devices} (s)")
    for panel, (ax, label) in enumerate(zip(panels, labels, strict=True)):
        _draw_panel(ax, info, panel, styles, value_range, crowded=crowded)
        ax.set_xlabel(label)
    panels[0].set_ylabel(info.metric.axis_label)
    handles = [Line2D([], [], color=style.INK, linewidth=1, drawstyle="steps-post", label="Pareto front")]
    if not crowded and len(info.settings) > 1:
        pairs = zip(info.settings, styles, strict=True)
        handles = [style.series_handle(look, setting.label, line="none") for setting, look in pairs] + handles
    if value_range.clipped:
        handles.append(style.below_handle())
    if crowded:
        style.add_list(
            figure,
            [
                f"{number}  {full_name(info.legend_title, info.settings[i].label)}"
                for i, number in _numbers(info).items()
            ],
        )
    failed = [setting for setting in info.settings if setting.reached.n == 0 and setting.reached.failed]
    style.outside_legend(figure, handles, info.legend_title if not crowded else None)
    note = f"not shown, as all runs failed: {'; '.join(setting.label for setting in failed)}" if failed else ""
    counts = [setting.reached.n for setting in info.settings]
    style.add_footer(figure, info.source.text(style.seed_count(counts, "setting"), "means and 95 % t intervals", note))
    return figure


def _draw_panel(
    ax: Axes, info: CostInfo, panel: int, styles: list[style.SeriesStyle], value_range: ValueRange, *, crowded: bool
) -> None:
    shown = info.metric.shown
    ax.set_ylim(value_range.low, value_range.high)
    front = info.fronts[panel]
    x = [info.settings[i].costs[panel] for i in front]
    # From the dearest setting of the front on there is nothing better, however much is paid.
    dearest = max((setting.costs[panel] for setting in info.settings if np.isfinite(setting.average)), default=1.0)
    y = [shown(info.settings[i].average) for i in front]
    ax.step([*x, dearest], [*y, y[-1]], where="post", color=style.INK, linewidth=1, zorder=1)
    for index, (setting, look) in enumerate(zip(info.settings, styles, strict=True)):
        reached, cost = setting.reached, setting.costs[panel]
        if not reached.n:
            continue
        on_front = index in front
        colour = style.INK if crowded and on_front else look.colour
        values = shown(np.array(reached.values))
        if not crowded:
            inside = values[values >= value_range.low]
            ax.plot(np.full(len(inside), cost), inside, ".", color=colour, alpha=0.4, markersize=3.5, mew=0, zorder=2)
        if shown(setting.average) < value_range.low:
            draw_marks(ax, cost, values, 0, info.metric, colour)
            continue
        if reached.low is not None and reached.high is not None and (on_front or not crowded):
            ax.vlines(cost, shown(reached.low), shown(reached.high), color=colour, linewidth=1, zorder=2)
        ax.plot(
            cost, shown(setting.average), look.marker, color=colour, markersize=6.5 if on_front else 5,
            mec=style.INK if on_front else "white", mew=1 if on_front else 0.6, zorder=4,
        )  # fmt: skip
        if reached.failed:
            ax.annotate(
                "×", (cost, shown(setting.average)), xytext=(4, 3), textcoords="offset points", color=style.FAILED
            )
    if crowded:
        _label_front(ax, info, panel)
    _cost_axis(ax, METRICS[COSTS[panel]], np.array([setting.costs[panel] for setting in info.settings]))


def _numbers(info: CostInfo) -> dict[int, int]:
    """A number for each setting on a front, where a legend of all settings would be too long."""
    on_fronts = sorted(
        {index for front in info.fronts for index in front}, key=lambda index: info.settings[index].costs
    )
    return {index: number for number, index in enumerate(on_fronts, 1)}


def _label_front(ax: Axes, info: CostInfo, panel: int) -> None:
    for index, number in _numbers(info).items():
        if index in info.fronts[panel]:
            place = (info.settings[index].costs[panel], info.metric.shown(info.settings[index].average))
            ax.annotate(
                str(number), place, xytext=(-2, 6), textcoords="offset points", ha="right", fontsize=7, weight="bold"
            )


def _cost_axis(ax: Axes, cost: Metric, costs: np.ndarray) -> None:
    costs = costs[np.isfinite(costs)]
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short_number(value)))
    if cost.logarithmic and len(costs) and costs.max() / max(costs.min(), 1e-9) >= 4:
        ax.set_xscale("log")
        few = costs.max() / costs.min() < 20
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short_number(value)))
        ax.xaxis.set_minor_formatter(
            FuncFormatter(lambda value, _: _short_number(value) if f"{value:e}"[0] in "25" else "")
            if few
            else NullFormatter()
        )
    ax.margins(x=0.08)


def _short_number(value: float) -> str:
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:g}{unit}"
    return f"{value:g}"


KIND = FigureKind(
    "cost",
    "a metric against parameters and against seconds, with the Pareto front",
    lambda sweep, request: cost_info(sweep.runs, factors=sweep.factors_from(request.factor), metric=request.metric),
    _draw,
    _describe,
    takes=("factor", "metric"),
)
