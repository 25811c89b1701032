"""A metric against a factor: every seed a point, the mean and its interval; hue and facets for two further factors.

Below, where there are intervals for them, the differences from the reference: that two means' own intervals overlap
says nothing of whether the means differ.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.differences import (
    NOT_COMPARABLE,
    verdict_counts,
    verdict_handles,
)
from rnn_mnist.analysis.plots.effect_differences import draw_differences
from rnn_mnist.analysis.plots.effect_info import EffectInfo, EffectPanel, effect_info
from rnn_mnist.analysis.plots.figure_kind import FigureKind, Request, Sweep
from rnn_mnist.analysis.plots.replicates import Replicates
from rnn_mnist.analysis.plots.value_axis import ValueRange, draw_marks, find_range
from rnn_mnist.analysis.reading.levels import key_label, short_name
from rnn_mnist.analysis.reading.outcomes import diverge_text, missing_text

# As many series have a legend entry each, and as many marks of diverged runs a number beside them.
MOST_IN_A_LEGEND = 10
MOST_NUMBERED = 16


def _describe(info: EffectInfo) -> str:
    by = f", by {info.hue.key}" if info.hue else ""
    panels = f", a panel for each {info.facet.key}" if info.facet else ""
    text = f"{info.metric.label} against {info.axis.key}{by}{panels}; each small point is one seed."
    means = [(point.mean, label) for label, point in _labelled_points(info) if point.mean is not None]
    if len(means) > 1:
        (low, lowest), (high, highest) = min(means), max(means)
        metric = info.metric
        if metric.text(low) == metric.text(high):
            text += f" All means are {metric.text(low)}."
        else:
            text += f" Means run from {metric.text(low)} ({lowest}) to {metric.text(high)} ({highest})."
    if info.compared:
        text += f" Below: differences from {info.references}, {verdict_counts(info.differences)}."
    if info.averaged:
        text += f" Each seed's value is its mean over {', '.join(info.averaged)}{_share_of_contexts(info)}."
    if info.pooled:
        text += f" {', '.join(info.pooled)} vary too, not evenly, so no mean is claimed."
    if info.panels_there > len(info.panels):
        text += f" {len(info.panels)} of {info.panels_there} panels are shown."
    failed, ended = (sum(getattr(point.outcomes, name) for point in info.points) for name in ("diverged", "ended"))
    return text + (f" {diverge_text(failed, ended)}, marked at the bottom; they are in no mean." if failed else "")


def _share_of_contexts(info: EffectInfo) -> str:
    if info.contexts == info.contexts_there:
        return ""
    return f" (over the {info.contexts} of {info.contexts_there} combinations that all levels share)"


def _draw(info: EffectInfo) -> Figure:
    count = len(info.panels)
    columns = min(count, 3)
    rows = -(-count // columns)
    with_differences = bool(info.compared) and count == 1
    if with_differences:
        figure = style.new_figure(4.4)
        grid = figure.subplots(2, 1, sharex=True, squeeze=False, height_ratios=(3, 2))
    else:
        figure = style.new_figure(3.0 if rows == 1 else 2.3 * rows + 0.4)
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
        style.hide_unused(grid, count)
    value_range = _value_range(info)
    looks = _looks(info)
    for index, (ax, panel) in enumerate(zip(grid.flat, info.panels, strict=False)):
        _draw_panel(ax, panel, info, looks, value_range)
        ax.set_title(style.wrap(panel.title, 40), loc="left")
        if index % columns == 0:
            ax.set_ylabel(info.metric.axis_label)
        _ticks(ax, info, columns)
    if with_differences:
        draw_differences(grid[1, 0], info, looks)
        _ticks(grid[1, 0], info, columns)
    for ax in grid[-1]:
        if ax.figure is not None:
            ax.set_xlabel(style.wrap(key_label(info.axis.key), int(13 * style.width()) // columns))
    _add_legend(figure, info, looks, value_range, with_differences=with_differences)
    style.add_footer(figure, info.source.text(*_notes(info, with_differences=with_differences)))
    return figure


def _looks(info: EffectInfo) -> list[style.SeriesStyle]:
    ordered = bool(info.hue and info.hue.numeric)
    looks = style.series_styles(len(info.panels[0].series), ordered=ordered)
    if ordered and len(looks) > MOST_IN_A_LEGEND:  # a scale of colours, which other marks would only disturb
        return [replace(look, marker="o", line="-") for look in looks]
    return looks


def _value_range(info: EffectInfo) -> ValueRange:
    values = [value for point in info.points for value in point.values]
    ends = np.array([end for point in info.points for end in (point.low, point.high) if end is not None], float)
    if (
        info.metric.counted_on
    ):  # a share of images, where an interval of few seeds does not know that it ends at 0 and 1
        ends = ends.clip(0.0, 1.0)
    return find_range(
        info.metric.shown(np.array(values)),
        info.metric.shown(ends),
        marked=any(point.failed for point in info.points),
        higher_is_better=info.metric.higher_is_better,
    )


def _draw_panel(
    ax: Axes, panel: EffectPanel, info: EffectInfo, looks: Sequence[style.SeriesStyle], value_range: ValueRange
) -> None:
    info.places.limit(ax.xaxis)
    ax.set_ylim(value_range.low, value_range.high)
    numbered = len(panel.series) * len(info.axis.levels) <= MOST_NUMBERED
    for index, (series, look) in enumerate(zip(panel.series, looks, strict=True)):
        means = []
        for slot, point in zip(info.places.slots(index, len(panel.series)), series.points, strict=True):
            if point is None:
                continue
            shown = info.metric.shown(np.array(point.values))
            inside = value_range.inside(shown)
            ax.plot(
                info.places.spread(slot, point.n, len(panel.series))[inside], shown[inside], look.marker,
                color=look.colour, alpha=0.5, mew=0, markersize=_seed_size(info, point), zorder=2,
            )  # fmt: skip
            diverged = diverge_text(point.failed, point.outcomes.ended) if point.failed and numbered else ""
            diverged = diverged.rpartition(" ")[0] or (" " if point.failed else "")
            draw_marks(ax, slot, shown[~inside], diverged, info.metric, look.colour, above=value_range.above)
            if point.mean is not None and point.low is not None and point.high is not None:
                mean, low, high = info.metric.shown(np.array([point.mean, point.low, point.high]))
                means.append((slot, mean, low, high))
        if not means:
            continue
        along, mean, low, high = np.array(means).T
        if info.places.scattered:  # bars would merge into a block
            ax.fill_between(along, low, high, color=look.colour, alpha=0.15, linewidth=0, zorder=1)
        else:
            ax.errorbar(
                along, mean, [mean - low, high - mean], fmt=look.marker, color=look.colour, capsize=3, markersize=5.5,
                mec="white", mew=0.7, elinewidth=1.2, zorder=4,
            )  # fmt: skip
        if info.axis.numeric and len(means) > 1:
            ax.plot(along, mean, linestyle=look.line, color=look.colour, linewidth=1, alpha=0.8, zorder=3)


def _seed_size(info: EffectInfo, point: Replicates) -> float:
    if info.places.scattered:
        return 3.0
    return 3.4 if point.mean is not None else 5.0


def _ticks(ax: Axes, info: EffectInfo, columns: int) -> None:
    if info.places.scattered:
        info.places.round_ticks(ax.xaxis)
    else:
        beside = 2.5 if style.width() >= style.NARROW else 1.5  # inches: labels, and a legend if it is there
        style.level_ticks(ax, info.axis, _tick_notes(info), room=(style.width() - beside) / columns)


def _tick_notes(info: EffectInfo) -> list[str]:
    """The number of seeds below each level, where a level is one point and they are not all the same."""
    counts = [point.n if point else 0 for point in info.panels[0].series[0].points]
    if info.hue or info.facet or len(set(counts)) == 1 or len(counts) > MOST_IN_A_LEGEND:
        return [""] * len(counts)
    return [f"n = {count}" for count in counts]


def _notes(info: EffectInfo, *, with_differences: bool) -> list[str]:
    counts = [point.n for point in info.points]
    notes = [style.run_count(counts, "level") if info.pooled else style.seed_count(counts, "point")]
    notes.append("mean and 95 % t interval" if any(point.mean is not None for point in info.points) else "no intervals")
    if info.averaged:
        notes.append(f"each seed's mean over {', '.join(info.averaged)}{_share_of_contexts(info)}")
    if info.pooled:
        notes.append(f"also varying: {', '.join(info.pooled)}")
    if with_differences:
        notes.append(info.intervals)
    beside = [row for row in info.differences if not row.comparable]
    if beside:
        reasons = "; ".join(dict.fromkeys(row.reason for row in beside if row.reason))
        mark = "n/c: " if with_differences and not info.places.scattered else f"{len(beside)} differences "
        notes.append(f"{mark}{NOT_COMPARABLE}" + (f" ({reasons})" if reasons else ""))
    if any(row.depends_on for row in info.differences):
        depends = dict.fromkeys(row.depends_on for row in info.differences if row.depends_on)
        notes.append(f"faded: depends on {', '.join(depends)}")
    return [*notes, missing_text(info.missing)]


def _add_legend(
    figure: Figure,
    info: EffectInfo,
    looks: Sequence[style.SeriesStyle],
    value_range: ValueRange,
    *,
    with_differences: bool,
) -> None:
    handles: list[Line2D | Patch] = []
    title = None
    if info.hue:
        count = len(looks)
        kept = range(count) if count <= MOST_IN_A_LEGEND else np.linspace(0, count - 1, 5).round().astype(int)
        for index in kept:
            line = looks[index].line if info.axis.numeric else "none"
            handles.append(style.series_handle(looks[index], info.hue.labels[index], line=line))
        title = short_name(info.hue.key) + (f" (5 of {count})" if count > MOST_IN_A_LEGEND else "")
    if any(point.failed for point in info.points):
        handles.append(style.failed_handle("diverged, of those\nthat ended"))
    handles += value_range.handles
    if with_differences:
        handles += [Line2D([], [], linestyle="none", label="Difference:")] if handles else []
        handles += verdict_handles(info.differences, info.metric, info.margin)
    style.outside_legend(figure, handles, title)


def _labelled_points(info: EffectInfo) -> list[tuple[str, Replicates]]:
    labelled = []
    for panel in info.panels:
        for series in panel.series:
            for label, point in zip(info.axis.labels, series.points, strict=True):
                if point is not None:
                    parts = [f"{short_name(info.axis.key)}={label}"]
                    parts += [f"{short_name(info.hue.key)}={series.label}"] if info.hue else []
                    parts += [panel.title] if panel.title else []
                    parts += [point.outcomes.diverged_text] if point.failed else []
                    labelled.append((", ".join(parts), point))
    return labelled


def _info(sweep: Sweep, request: Request) -> EffectInfo:
    return effect_info(
        sweep.runs,
        str(request.factor),
        factors=sweep.factors,
        hue=request.hue,
        facet=request.facet,
        metric=request.metric,
        table=sweep.effects(request.metric),
    )


KIND = FigureKind(
    "effect",
    "a metric against --factor, every seed a point, mean and 95 % interval; --hue and --facet for two more",
    _info,
    _draw,
    _describe,
    takes=("factor", "hue", "facet", "metric"),
    needs=1,
)
