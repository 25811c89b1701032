"""What each factor of a random search does, all others held: a curve with its band, and every run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.factor_axis import round_ticks
from rnn_mnist.analysis.plots.figure_kind import FigureKind, Request, Sweep
from rnn_mnist.analysis.plots.source import Source, find_source
from rnn_mnist.analysis.reading.levels import format_level, key_label, plain
from rnn_mnist.analysis.reading.outcomes import diverged_runs
from rnn_mnist.analysis.statistics.additive_regression import AdditiveFit, additive_regression
from rnn_mnist.analysis.statistics.partial_effect import PartialEffect
from rnn_mnist.analysis.statistics.sampled_answer import effect_sentence, p_text
from rnn_mnist.catalogues.metrics import METRICS, Metric

MOST_PANELS = 9

_SHOWN, _NOT_SHOWN, _RUNS = "#0072B2", "#6b6b6b", "#555555"
# Runs that diverged, and runs that fell far short of all others.
_LOST = ((style.FAILED_MARKER, style.FAILED), ("v", "#D55E00"))
# Points so many interquartile ranges from the others are marked at the edge: one run that never learned would squeeze
# all others into a line.
_FAR = 4


@dataclass(frozen=True)
class PartialPanel:
    """One factor.

    Attributes:
        effect: what it does.
        diverged, collapsed: where the runs lie that diverged, and that fell far short of all others: values of the
            factor, or indices of its levels.
    """

    effect: PartialEffect
    diverged: tuple[float, ...]
    collapsed: tuple[float, ...]

    @property
    def lost(self) -> tuple[float, ...]:
        """Where the runs lie that are in no curve."""
        return self.diverged + self.collapsed


@dataclass(frozen=True)
class PartialInfo:
    """What the figure shows: the most important of ``total`` factors."""

    metric: Metric
    panels: tuple[PartialPanel, ...]
    total: int
    fit: AdditiveFit
    source: Source


def partial_info(runs: pd.DataFrame, fit: AdditiveFit, first: str | None = None) -> PartialInfo:
    """The effects of an additive regression of these runs, the most important first; ``first`` goes before them all."""
    ordered = sorted(fit.effects, key=lambda effect: (effect.factor != first, -effect.importance))
    lost = runs[diverged_runs(runs)], runs[runs["directory"].isin(fit.collapsed)]
    panels = tuple(
        PartialPanel(effect, *(_places(of_kind, effect) for of_kind in lost)) for effect in ordered[:MOST_PANELS]
    )
    return PartialInfo(METRICS[fit.metric], panels, len(ordered), fit, find_source(runs))


def _info(sweep: Sweep, request: Request) -> PartialInfo:
    fit = sweep.fit(request.metric)
    if not isinstance(fit, AdditiveFit):  # a grid may be asked for it too; and too few runs are refused
        fit = additive_regression(sweep.runs, sweep.factors, request.metric)
    return partial_info(sweep.runs, fit, request.factor)


def _places(runs: pd.DataFrame, effect: PartialEffect) -> tuple[float, ...]:
    values = [plain(value) for value in runs[effect.factor]]
    if effect.trend is not None:
        return tuple(float(value) for value in values if value is not None)
    return tuple(float(effect.points.index(value)) for value in values if value in effect.points)


def _describe(info: PartialInfo) -> str:
    text = f"{info.metric.label} along each factor, all others held at their average; each point is a run."
    alpha = 1 - info.fit.confidence
    effects = [panel.effect for panel in info.panels]
    shown = [effect for effect in effects if effect.p_adjusted < alpha]
    text += "".join(f" {effect_sentence(effect, info.metric, alpha)}." for effect in shown[:3])
    nothing = [effect.factor for effect in effects if not effect.p_adjusted < alpha]
    text += f" No effect is shown of {', '.join(nothing)}." if nothing else ""
    return " ".join([text, *(f"{line}." for line in info.fit.failures)])


def _draw(info: PartialInfo) -> Figure:
    count = len(info.panels)
    columns = count if count <= 3 else 2 if count == 4 else 3
    rows = -(-count // columns)
    figure = style.new_figure(3.0 if rows == 1 else 2.25 * rows + 0.5)
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    style.hide_unused(grid, count)
    low, high = _limits(info)
    for index, (ax, panel) in enumerate(zip(grid.flat, info.panels, strict=False)):
        ax.set_ylim(low, high)
        _draw_panel(ax, panel, info, most_ticks=5 if columns < 3 else 4)
        ax.set_title(_title(panel.effect), loc="left", fontsize=7.5)
        ax.set_xlabel(style.wrap(key_label(panel.effect.factor), int(14 * style.width()) // columns))
        if index % columns == 0:
            ax.set_ylabel(info.metric.axis_label)
    figure.legend(handles=_handles(info, low, high), loc="outside upper left", ncols=4)
    style.add_footer(figure, info.source.text(*_footnotes(info)))
    return figure


def _title(effect: PartialEffect) -> str:
    return f"explains {100 * effect.share:.0f} ± {100 * effect.importance_error:.0f} %, {p_text(effect.p_adjusted)}"


def _draw_panel(ax: Axes, panel: PartialPanel, info: PartialInfo, *, most_ticks: int) -> None:
    effect, shown = panel.effect, info.metric.shown
    colour = _SHOWN if effect.p_adjusted < 1 - info.fit.confidence else _NOT_SHOWN
    ax.axhline(shown(effect.mean), color=style.GREY, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)
    acts = ~np.isnan(effect.places)
    places, values = effect.places[acts], shown(effect.partial[acts])
    if effect.trend is None:
        # Side by side in the order of the runs, which says nothing.
        places = places + (np.arange(len(places)) * 0.618 % 1 - 0.5) * 0.5
    size, alpha = (2.2, 0.3) if len(values) > 120 else (3.0, 0.5)
    low, high = ax.get_ylim()
    inside = (values >= low) & (values <= high)
    ax.plot(places[inside], values[inside], "o", color=_RUNS, alpha=alpha, markersize=size, mew=0, zorder=2)
    edges = ax.get_xaxis_transform()  # x in data, y as a share of the axis
    for beyond, marker, height in ((values < low, "v", 0.02), (values > high, "^", 0.98)):
        ax.plot(places[beyond], np.full(beyond.sum(), height), marker, color=style.GREY, markersize=4, transform=edges)
    for lost, (marker, lost_colour) in zip((panel.diverged, panel.collapsed), _LOST, strict=True):
        if lost:
            ax.plot(
                lost, np.full(len(lost), 0.04), marker, color=lost_colour, markersize=4.5, mec="white", mew=0.4,
                alpha=0.8, transform=edges, clip_on=False, zorder=5,
            )  # fmt: skip
    if effect.trend is None:
        _draw_levels(ax, effect, info.metric, colour)
    else:
        _draw_curve(ax, effect, info.metric, colour)
        _draw_scale(ax, effect, panel.lost, most_ticks)


def _draw_curve(ax: Axes, effect: PartialEffect, metric: Metric, colour: str) -> None:
    shown, points = metric.shown, np.array(effect.points, dtype=float)
    ax.fill_between(points, shown(effect.low), shown(effect.high), color=colour, alpha=0.18, linewidth=0, zorder=1)
    ax.plot(points, shown(effect.curve), color=colour, linewidth=1.8, zorder=4)


def _draw_scale(ax: Axes, effect: PartialEffect, lost: Sequence[float], most_ticks: int) -> None:
    """The axis of the numbers, with room for runs that are in no curve."""
    points = effect.points
    low, high = min([points[0], *lost]), max([points[-1], *lost])
    scale = effect.scale if low > 0 or effect.scale != "log" else "linear"
    if scale == "log":
        ax.set_xscale("log")
        room = (high / low) ** 0.03
        ax.set_xlim(low / room, high * room)
    else:
        room = 0.03 * (high - low)
        ax.set_xlim(low - room, high + room)
    ticks = round_ticks(low, high, scale, most_ticks)
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks([tick for tick, _ in ticks], [label for _, label in ticks])


def _draw_levels(ax: Axes, effect: PartialEffect, metric: Metric, colour: str) -> None:
    shown, places = metric.shown, np.arange(len(effect.points))
    curve, low, high = shown(effect.curve), shown(effect.low), shown(effect.high)
    ax.errorbar(
        places, curve, [curve - low, high - curve], fmt="o", color=colour, capsize=4, markersize=6, mec="white",
        mew=0.7, elinewidth=1.6, zorder=4,
    )  # fmt: skip
    ax.set_xlim(-0.6, len(places) - 0.4)
    labels = [style.wrap(format_level(level), 14) for level in effect.points]
    ax.set_xticks(places, labels, fontsize=8 if len(labels) <= 6 else 6.5)
    ax.grid(axis="x", visible=False)


def _limits(info: PartialInfo) -> tuple[float, float]:
    """The ends of the common value axis: all curves and nearly all runs; bands may widen it by half."""
    shown = info.metric.shown
    effects = [panel.effect for panel in info.panels]
    values = shown(np.concatenate([effect.partial[~np.isnan(effect.places)] for effect in effects]))
    curves = shown(np.concatenate([effect.curve for effect in effects]))
    quarter, three_quarters = np.quantile(values, [0.25, 0.75])
    reach = _FAR * (three_quarters - quarter)
    near = values[(values >= quarter - reach) & (values <= three_quarters + reach)]
    low, high = min(near.min(), curves.min()), max(near.max(), curves.max())
    span = float(high - low) or max(abs(float(high)) * 0.01, 1e-3)
    ends = shown(np.concatenate([end for effect in effects for end in (effect.low, effect.high)]))
    low, high = max(min(low, ends.min()), low - span / 2), min(max(high, ends.max()), high + span / 2)
    bottom = 0.14 if any(panel.lost for panel in info.panels) else 0.05
    return float(low - bottom * span), float(high + 0.05 * span)


def _handles(info: PartialInfo, low: float, high: float) -> list[Line2D | Patch]:
    alpha = 1 - info.fit.confidence
    found = [panel.effect.p_adjusted < alpha for panel in info.panels]
    handles: list[Line2D | Patch] = []
    if any(found):
        handles.append(Line2D([], [], color=_SHOWN, linewidth=1.8, label="an effect is shown"))
    if not all(found):
        handles.append(Line2D([], [], color=_NOT_SHOWN, linewidth=1.8, label="none is shown"))
    handles.append(Patch(color=style.GREY, alpha=0.3, label=f"{100 * info.fit.confidence:g} % band"))
    handles.append(
        Line2D([], [], color=_RUNS, alpha=0.5, marker="o", markersize=3, linestyle="none", label="runs, others held")
    )
    values = [info.metric.shown(panel.effect.partial) for panel in info.panels]
    if any(((of_panel < low) | (of_panel > high)).any() for of_panel in values):
        handles.append(Line2D([], [], color=style.GREY, marker="v", linestyle="none", label="beyond the axis"))
    if any(panel.diverged for panel in info.panels):
        handles.append(style.failed_handle("diverged"))
    if any(panel.collapsed for panel in info.panels):
        (_, (marker, colour)) = _LOST
        handles.append(Line2D([], [], color=colour, marker=marker, linestyle="none", label="far short of all others"))
    return handles


def _footnotes(info: PartialInfo) -> list[str]:
    notes = [info.fit.method, "bands hold along a whole curve, about the mean (dashed)"]
    notes.append("explains: variance of held-out runs, with its standard error")
    notes.append("p: Holm over the factors")
    if info.total > len(info.panels):
        notes.append(f"the {len(info.panels)} most important of {info.total} factors")
    return [*notes, *info.fit.failures, *info.fit.notes]


KIND = FigureKind(
    "partial",
    "a metric along each factor of a random search, all others held: a curve, its band and every run",
    _info,
    _draw,
    _describe,
    takes=("factor", "metric"),
    narrowest=5.0,
)
