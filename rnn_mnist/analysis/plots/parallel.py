"""Parallel coordinates: every run a line through its levels of all factors, to what it reached."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.factor_axis import MOST_LABELS, FactorAxis, factor_axis
from rnn_mnist.analysis.plots.figure_kind import FigureKind
from rnn_mnist.analysis.plots.source import Source, find_source
from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.levels import short_name
from rnn_mnist.analysis.reading.results import check_metric, completed
from rnn_mnist.catalogues.metrics import Metric
from rnn_mnist.runs.record import State

_DIVERGED = -0.12
"""How far below the axis of the metric the lines of failed runs end."""


@dataclass(frozen=True)
class ParallelLine:
    """One run: its level of each factor as an index, and what it reached (NaN if it failed)."""

    levels: tuple[int, ...]
    value: float


@dataclass(frozen=True)
class ParallelInfo:
    """What the figure shows: completed and failed runs."""

    metric: Metric
    axes: tuple[FactorAxis, ...]
    lines: tuple[ParallelLine, ...]
    source: Source


def parallel_info(runs: pd.DataFrame, *, factors: Sequence[str], metric: str = "test_accuracy") -> ParallelInfo:
    """Every run's way through the factors."""
    judged = check_metric(runs, metric)
    completed(runs)
    ended = runs[runs["status"].isin([State.completed, State.failed])]
    axes = tuple(factor_axis(ended, key) for key in factors)
    lines = [
        ParallelLine(tuple(axis.place(row[axis.key]) for axis in axes), float(row[metric]))
        for row in rows_of(ended[[*factors, metric]])
    ]
    return ParallelInfo(judged, axes, tuple(lines), find_source(runs))


def _describe(info: ParallelInfo) -> str:
    finished = [line for line in info.lines if np.isfinite(line.value)]
    best = max(finished, key=lambda line: line.value * (-1 if info.metric.higher_is_better is False else 1))
    pairs = zip(info.axes, best.levels, strict=True)
    where = ", ".join(f"{short_name(axis.key)}={axis.labels[level]}" for axis, level in pairs)
    text = f"Every run as a line through its levels of {len(info.axes)} factors to its {info.metric.label.lower()}. "
    failed = len(info.lines) - len(finished)
    text += f"The best single run, {info.metric.text(best.value)}, has {where}."
    return text + style.failed_sentence(failed, "dashed")


def _draw(info: ParallelInfo) -> Figure:
    figure = style.new_figure(3.4)
    ax = figure.subplots()
    last = len(info.axes)
    shown = info.metric.shown(np.array([line.value for line in info.lines]))
    norm, clipped = _scale(shown[np.isfinite(shown)], higher_is_better=info.metric.higher_is_better)
    reached = np.where(np.isfinite(shown), norm(shown), _DIVERGED)
    paths = _paths(info, np.asarray(reached))
    less_is_better = info.metric.higher_is_better is False
    colours = colormaps["viridis" if less_is_better else "viridis_r"]
    worst_first = [i for i in np.argsort(-shown if less_is_better else shown) if np.isfinite(shown[i])]
    width, alpha = _weights(len(worst_first))
    ax.add_collection(
        LineCollection(
            [paths[i] for i in worst_first], colors=[colours(norm(shown[i])) for i in worst_first],
            linewidths=width, alpha=alpha,
        )
    )  # fmt: skip
    failed = [paths[i] for i in range(len(paths)) if not np.isfinite(shown[i])]
    if failed:
        faint = 0.9 if len(failed) <= 15 else 0.35
        ax.add_collection(
            LineCollection(failed, colors=style.FAILED, linewidths=0.8, linestyles="dashed", alpha=faint, zorder=1)
        )
        ends = np.array([path[-1] for path in failed])
        ax.plot(ends[:, 0], ends[:, 1], style.FAILED_MARKER, color=style.FAILED, clip_on=False)
    _draw_axes(ax, info)
    ax.axvline(last, color=style.INK, linewidth=1, zorder=0)
    names = [short_name(axis.key, [other.key for other in info.axes]) for axis in info.axes]
    room = int(95 / (last + 1))
    ax.set_xticks(range(last + 1), [style.wrap(name, max(room, 6)) for name in [*names, info.metric.label]], fontsize=7)
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.set_xlim(-0.05, last + 0.02)
    ax.set_ylim(-0.14 if failed else -0.05, 1.05)
    extend = ("max" if less_is_better else "min") if clipped else "neither"
    bar = figure.colorbar(ScalarMappable(norm, colours), ax=ax, label=info.metric.axis_label, pad=0.02, extend=extend)
    bar.outline.set_visible(False)
    if failed:
        figure.legend(handles=[style.failed_handle("failed runs (dashed)")], loc="outside upper right")
    notes = ["each line a run, the best darkest and on top"]
    notes.append("the worst runs lie beyond the scale, at its end" if clipped else "")
    style.add_footer(figure, info.source.text(*notes))
    return figure


def _draw_axes(ax: Axes, info: ParallelInfo) -> None:
    """A vertical line a factor, with its levels, or a few round numbers."""
    behind_labels = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6}
    for i, axis in enumerate(info.axes):
        ax.axvline(i, color=style.GREY, linewidth=0.8, zorder=0)
        if axis.crowded:
            labels = [(axis.fraction(tick), text) for tick, text in axis.ticks]
            heights, texts = [height for height, _ in labels], [text for _, text in labels]
            ax.plot(np.full(len(labels), i), heights, "_", color=style.INK, markersize=5, mew=0.8, zorder=4)
        else:
            count = len(axis.levels)
            kept = np.unique(np.linspace(0, count - 1, min(count, MOST_LABELS)).round().astype(int))
            heights, texts = list(_heights(axis)[kept]), [axis.labels[place] for place in kept]
        for height, text in zip(heights, texts, strict=True):
            ax.annotate(style.wrap(text, 16), (i, height), xytext=(3, 0), textcoords="offset points", fontsize=6.5,
                        va="center", bbox=behind_labels, zorder=6)  # fmt: skip


def _scale(values: np.ndarray, *, higher_is_better: bool | None) -> tuple[Normalize, bool]:
    """From colours and heights to values; few bad runs must not take all of it, so that the good ones look alike.

    The worst tenth lies beyond the scale where it would take more than half of it.
    """
    low, high = float(values.min()), float(values.max())
    clipped = False
    if higher_is_better is not None and len(values) >= 10:
        tenth = float(np.quantile(values, 0.1 if higher_is_better else 0.9))
        best = high if higher_is_better else low
        if abs(best - tenth) < 0.5 * (high - low):
            low, high = (tenth, high) if higher_is_better else (low, tenth)
            clipped = True
    return Normalize(low, max(high, low + 1e-9), clip=True), clipped


def _weights(count: int) -> tuple[list[float], list[float]]:
    """The width and opacity of each of so many lines, the worst first; of many, the best tenth stands out."""
    best = max(5, count // 10)
    thin, faint = (1.0, 0.75) if count <= 30 else (0.6, 0.45) if count <= 100 else (0.5, 0.25)
    top = (1.0, 0.75) if count <= 30 else (1.3, 0.95)
    looks = [top if place >= count - best else (thin, faint) for place in range(count)]
    return [width for width, _ in looks], [alpha for _, alpha in looks]


def _heights(axis: FactorAxis) -> np.ndarray:
    """Where the levels stand ``[level]``, from 0 to 1: evenly, or as the numbers do where there are many."""
    count = len(axis.levels)
    if axis.crowded:
        return np.array([axis.fraction(position) for position in axis.positions])
    return np.linspace(0, 1, count) if count > 1 else np.array([0.5])


def _paths(info: ParallelInfo, reached: np.ndarray) -> list[list[tuple[float, float]]]:
    """The corners of each line; runs of one level lie a little apart, so that each can be followed."""
    heights = [_heights(axis) for axis in info.axes]
    apart = [0.0 if axis.crowded else 0.35 / max(len(axis.levels), 2) for axis in info.axes]
    paths = []
    for index, line in enumerate(info.lines):
        fraction = (index + 0.5) / len(info.lines) - 0.5
        corners = [(float(i), float(heights[i][level] + fraction * apart[i])) for i, level in enumerate(line.levels)]
        paths.append([*corners, (float(len(info.axes)), float(reached[index]))])
    return paths


KIND = FigureKind(
    "parallel",
    "every run as a line through its levels of all factors",
    lambda sweep, request: parallel_info(sweep.runs, factors=sweep.factors, metric=request.metric),
    _draw,
    _describe,
    takes=("metric",),
    narrowest=5.0,
)
