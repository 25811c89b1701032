"""A metric against a factor: every seed a point, the mean and its interval; hue and facets for two further factors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.factor_axis import FactorAxis, factor_axis
from rnn_mnist.analysis.plots.figure_kind import FigureKind
from rnn_mnist.analysis.plots.replicates import Replicates, averaged_over, replicates
from rnn_mnist.analysis.plots.source import Source, find_source
from rnn_mnist.analysis.plots.value_axis import ValueRange, draw_marks, find_range
from rnn_mnist.analysis.reading.levels import format_level, short_name
from rnn_mnist.analysis.reading.results import check_metric, completed
from rnn_mnist.catalogues.metrics import Metric


@dataclass(frozen=True)
class EffectSeries:
    """One colour of one panel: the replicates at each level of the factor (None where nothing was run)."""

    label: str
    points: tuple[Replicates | None, ...]


@dataclass(frozen=True)
class EffectPanel:
    """One panel: a level of the facet."""

    title: str
    series: tuple[EffectSeries, ...]


@dataclass(frozen=True)
class EffectInfo:
    """What the figure shows.

    Attributes:
        averaged: factors that are not shown and over which each seed's value is a mean.
        pooled: factors that are not shown and over which no fair mean exists, so that there are points alone.
    """

    metric: Metric
    axis: FactorAxis
    hue: FactorAxis | None
    facet: FactorAxis | None
    panels: tuple[EffectPanel, ...]
    averaged: tuple[str, ...]
    pooled: tuple[str, ...]
    source: Source

    @property
    def points(self) -> list[Replicates]:
        """All points of all panels."""
        return [point for panel in self.panels for series in panel.series for point in series.points if point]


def effect_info(
    runs: pd.DataFrame,
    factor: str,
    *,
    factors: Sequence[str],
    hue: str | None = None,
    facet: str | None = None,
    metric: str = "test_accuracy",
) -> EffectInfo:
    """Arrange runs by a factor.

    Args:
        runs: from :func:`rnn_mnist.analysis.reading.results.load_runs`.
        factor: the key along the axis.
        factors: all keys that vary; those that are neither shown nor the seed are averaged over, seed by seed.
        hue: the key that sets colours and markers.
        facet: the key that has a panel for each level.
        metric: the column on the value axis.
    """
    judged = check_metric(runs, metric)
    completed(runs)
    shown = [key for key in (factor, hue, facet) if key]
    others = [key for key in factors if key not in shown]
    table, fair = averaged_over(runs, shown, others, metric)
    axis = factor_axis(runs, factor)
    hue_axis, facet_axis = (factor_axis(runs, key) if key else None for key in (hue, facet))

    def series_of(rows: pd.DataFrame, label: str) -> EffectSeries:
        at_levels = [axis.rows(rows, level) for level in axis.levels]
        points = [replicates(part, metric, comparable=fair) if len(part) else None for part in at_levels]
        return EffectSeries(label, tuple(points))

    def panel_of(rows: pd.DataFrame, title: str) -> EffectPanel:
        if hue_axis is None:
            return EffectPanel(title, (series_of(rows, ""),))
        pairs = zip(hue_axis.levels, hue_axis.labels, strict=True)
        return EffectPanel(title, tuple(series_of(hue_axis.rows(rows, level), label) for level, label in pairs))

    if facet_axis is None:
        panels = [panel_of(table, "")]
    else:
        name = short_name(facet_axis.key, shown)
        panels = [
            panel_of(facet_axis.rows(table, level), f"{name}={format_level(level)}") for level in facet_axis.levels
        ]
    return EffectInfo(
        metric=judged,
        axis=axis,
        hue=hue_axis,
        facet=facet_axis,
        panels=tuple(panels),
        averaged=tuple(others) if fair else (),
        pooled=() if fair else tuple(others),
        source=find_source(runs),
    )


def _describe(info: EffectInfo) -> str:
    by = f", by {info.hue.key}" if info.hue else ""
    panels = f", a panel for each {info.facet.key}" if info.facet else ""
    text = f"{info.metric.label} against {info.axis.key}{by}{panels}; each small point is one seed."
    best = [(point.mean, label) for label, point in _labelled_points(info) if point.mean is not None]
    if len(best) > 1:
        (low, lowest), (high, highest) = min(best), max(best)
        metric = info.metric
        if metric.text(low) == metric.text(high):
            text += f" All means are {metric.text(low)}."
        else:
            text += f" Means run from {metric.text(low)} ({lowest}) to {metric.text(high)} ({highest})."
    if info.averaged:
        text += f" Each seed's value is its mean over {', '.join(info.averaged)}."
    if info.pooled:
        text += f" {', '.join(info.pooled)} vary too, not evenly, so no mean is claimed."
    failed = sum(point.failed for point in info.points)
    return text + style.failed_sentence(failed, "marked at the bottom")


def _draw(info: EffectInfo) -> Figure:
    count = len(info.panels)
    columns = min(count, 3)
    rows = -(-count // columns)
    figure = style.new_figure(3.0 if rows == 1 else 2.3 * rows + 0.4)
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    style.hide_unused(grid, count)
    values = [value for point in info.points for value in point.values]
    ends = [end for point in info.points for end in (point.low, point.high) if end is not None]
    marked = any(point.failed for point in info.points)
    value_range = find_range(info.metric.shown(np.array(values)), info.metric.shown(np.array(ends)), marked=marked)
    styles = style.series_styles(len(info.panels[0].series), ordered=bool(info.hue and info.hue.numeric))
    for index, (ax, panel) in enumerate(zip(grid.flat, info.panels, strict=False)):
        _draw_panel(ax, panel, info, styles, value_range)
        ax.set_title(style.wrap(panel.title, 40), loc="left")
        if index % columns == 0:
            ax.set_ylabel(info.metric.axis_label)
        style.level_ticks(ax, info.axis, _tick_notes(info), room=style.WIDTH / columns * 0.8)
    for ax in grid[-1]:
        if ax.figure is not None:
            ax.set_xlabel(style.wrap(info.axis.key, 90 // columns))
    handles = _handles(info, styles, value_range)
    style.outside_legend(figure, handles, short_name(info.hue.key) if info.hue else None)
    style.add_footer(figure, info.source.text(*_notes(info)))
    return figure


def _draw_panel(
    ax: Axes, panel: EffectPanel, info: EffectInfo, styles: list[style.SeriesStyle], value_range: ValueRange
) -> None:
    if info.axis.scale == "log":
        ax.set_xscale("log")
    ax.set_ylim(value_range.low, value_range.high)
    for index, (series, look) in enumerate(zip(panel.series, styles, strict=True)):
        slots = _slots(info.axis, index, len(panel.series))
        means = []
        for slot, point in zip(slots, series.points, strict=True):
            if point is None:
                continue
            shown = info.metric.shown(np.array(point.values))
            places = _spread(info.axis, slot, point.n, len(panel.series))
            inside = shown >= value_range.low
            ax.plot(
                places[inside], shown[inside], look.marker, color=look.colour, alpha=0.5,
                markersize=3.4 if point.mean is not None else 5, mew=0, zorder=2,
            )  # fmt: skip
            draw_marks(ax, slot, shown[~inside], point.failed, info.metric, look.colour)
            if point.mean is not None and point.low is not None and point.high is not None:
                mean, low, high = info.metric.shown(np.array([point.mean, point.low, point.high]))
                ax.errorbar(
                    slot, mean, [[mean - low], [high - mean]], fmt=look.marker, color=look.colour, capsize=3,
                    markersize=5.5, mec="white", mew=0.7, elinewidth=1.2, zorder=4,
                )  # fmt: skip
                means.append((slot, mean))
        if info.axis.numeric and len(means) > 1:
            ax.plot(*zip(*means, strict=True), linestyle=look.line, color=look.colour, linewidth=1, alpha=0.8, zorder=1)
    _margins(ax, info.axis)


def _to_scale(axis: FactorAxis, positions: np.ndarray) -> np.ndarray:
    return np.log10(positions) if axis.scale == "log" else positions


def _from_scale(axis: FactorAxis, positions: np.ndarray) -> np.ndarray:
    return 10.0**positions if axis.scale == "log" else positions


def _gap(axis: FactorAxis) -> float:
    positions = _to_scale(axis, np.array(axis.positions))
    return float(np.diff(positions).min()) if len(positions) > 1 else 1.0


def _slots(axis: FactorAxis, index: int, count: int) -> np.ndarray:
    """Where the series of that index stands at each level: side by side, so that intervals do not hide one another."""
    step = min(0.16, 0.7 / count) * _gap(axis)
    return _from_scale(axis, _to_scale(axis, np.array(axis.positions)) + (index - (count - 1) / 2) * step)


def _spread(axis: FactorAxis, slot: float, seeds: int, count: int) -> np.ndarray:
    """The seeds of a point a little apart from one another and from the mean in their middle."""
    width = min(0.16, 0.5 / count) * _gap(axis)
    offsets = np.linspace(-width / 2, width / 2, seeds) if seeds > 1 else np.zeros(seeds)
    return _from_scale(axis, _to_scale(axis, np.array([slot])) + offsets)


def _margins(ax: Axes, axis: FactorAxis) -> None:
    positions = _to_scale(axis, np.array(axis.positions))
    ends = np.array([positions[0] - 0.5 * _gap(axis), positions[-1] + 0.5 * _gap(axis)])
    ax.set_xlim(*_from_scale(axis, ends))


def _tick_notes(info: EffectInfo) -> list[str]:
    """The number of seeds below each level, where a level is one point and they are not all the same."""
    counts = [point.n if point else 0 for point in info.panels[0].series[0].points]
    if info.hue or info.facet or len(set(counts)) == 1:
        return [""] * len(counts)
    return [f"n = {count}" if len(counts) <= 10 else str(count) for count in counts]


def _notes(info: EffectInfo) -> list[str]:
    counts = [point.n for point in info.points]
    notes = [f"{min(counts)} to {max(counts)} runs a level" if info.pooled else style.seed_count(counts, "point")]
    notes.append("mean and 95 % t interval" if any(point.mean is not None for point in info.points) else "no intervals")
    if info.averaged:
        notes.append(f"each seed's mean over {', '.join(info.averaged)}")
    if info.pooled:
        notes.append(f"also varying: {', '.join(info.pooled)}")
    return notes


def _handles(info: EffectInfo, styles: list[style.SeriesStyle], value_range: ValueRange) -> list[Line2D]:
    handles = []
    if info.hue:
        for look, label in zip(styles, info.hue.labels, strict=True):
            line = look.line if info.axis.numeric else "none"
            handles.append(style.series_handle(look, label, line=line))
    if any(point.failed for point in info.points):
        handles.append(style.failed_handle("failed runs"))
    if value_range.clipped:
        handles.append(style.below_handle())
    return handles


def _labelled_points(info: EffectInfo) -> list[tuple[str, Replicates]]:
    labelled = []
    for panel in info.panels:
        for series in panel.series:
            for label, point in zip(info.axis.labels, series.points, strict=True):
                if point is not None:
                    parts = [f"{short_name(info.axis.key)}={label}"]
                    parts += [f"{short_name(info.hue.key)}={series.label}"] if info.hue else []
                    labelled.append((", ".join([*parts, panel.title] if panel.title else parts), point))
    return labelled


KIND = FigureKind(
    "effect",
    "a metric against --factor, every seed a point, mean and 95 % interval; --hue and --facet for two more",
    lambda sweep, request: effect_info(
        sweep.runs,
        str(request.factor),
        factors=sweep.factors,
        hue=request.hue,
        facet=request.facet,
        metric=request.metric,
    ),
    _draw,
    _describe,
    takes=("factor", "hue", "facet", "metric"),
    needs=1,
)
