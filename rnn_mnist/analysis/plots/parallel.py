"""Parallel coordinates: every run a line through its levels of all factors, to what it reached."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.factor_axis import FactorAxis, factor_axis
from rnn_mnist.analysis.plots.figure_kind import FigureKind
from rnn_mnist.analysis.plots.source import Source, find_source
from rnn_mnist.analysis.plots.value_axis import find_range
from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.levels import short_name
from rnn_mnist.analysis.reading.results import check_metric, completed
from rnn_mnist.catalogues.metrics import Metric
from rnn_mnist.runs.record import State


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
    finite = shown[np.isfinite(shown)]
    value_range = find_range(finite, np.array([]))
    inside = finite[finite >= value_range.low]
    low, high = float(inside.min()), float(max(inside.max(), inside.min() + 1e-9))
    norm = Normalize(low, high)
    # The best are dark, and drawn last.
    less_is_better = info.metric.higher_is_better is False
    colours = colormaps["viridis" if less_is_better else "viridis_r"]
    paths = [_path(info, i, line, shown[i], low, high) for i, line in enumerate(info.lines)]
    worst_first = [i for i in np.argsort(-shown if less_is_better else shown) if np.isfinite(shown[i])]
    width, alpha = (1.0, 0.75) if len(info.lines) <= 100 else (0.5, 0.5)
    ax.add_collection(
        LineCollection(
            [paths[i] for i in worst_first], colors=[colours(norm(shown[i])) for i in worst_first],
            linewidths=width, alpha=alpha,
        )
    )  # fmt: skip
    failed = [paths[i] for i in range(len(paths)) if not np.isfinite(shown[i])]
    if failed:
        ax.add_collection(LineCollection(failed, colors=style.FAILED, linewidths=0.9, linestyles="dashed"))
        ends = np.array([path[-1] for path in failed])
        ax.plot(ends[:, 0], ends[:, 1], style.FAILED_MARKER, color=style.FAILED, clip_on=False)
    behind_labels = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6}
    for i, axis in enumerate(info.axes):
        ax.axvline(i, color=style.GREY, linewidth=0.8, zorder=0)
        for place, label in zip(_heights(len(axis.levels)), axis.labels, strict=True):
            ax.annotate(style.wrap(label, 16), (i, place), xytext=(3, 0), textcoords="offset points", fontsize=6.5,
                        va="center", bbox=behind_labels)  # fmt: skip
    ax.axvline(last, color=style.INK, linewidth=1, zorder=0)
    names = [short_name(axis.key, [other.key for other in info.axes]) for axis in info.axes]
    room = int(95 / (last + 1))
    ax.set_xticks(range(last + 1), [style.wrap(name, max(room, 6)) for name in [*names, info.metric.label]], fontsize=7)
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.set_xlim(-0.05, last + 0.02)
    ax.set_ylim(-0.14 if failed or value_range.clipped else -0.05, 1.05)
    bar = figure.colorbar(ScalarMappable(norm, colours), ax=ax, label=info.metric.axis_label, pad=0.02)
    bar.outline.set_visible(False)
    handles = [style.failed_handle("failed runs (dashed)")] if failed else []
    if handles:
        figure.legend(handles=handles, loc="outside upper right")
    note = "lines that leave at the bottom lie below the scale" if value_range.clipped else ""
    style.add_footer(figure, info.source.text("each line a run", note))
    return figure


def _heights(count: int) -> np.ndarray:
    return np.linspace(0, 1, count) if count > 1 else np.array([0.5])


def _path(
    info: ParallelInfo, index: int, line: ParallelLine, value: float, low: float, high: float
) -> list[tuple[float, float]]:
    """The corners of a line; runs of one level lie a little apart, so that each can be followed."""
    fraction = (index + 0.5) / len(info.lines) - 0.5
    path = []
    for i, (axis, level) in enumerate(zip(info.axes, line.levels, strict=True)):
        count = len(axis.levels)
        path.append((float(i), float(_heights(count)[level] + fraction * 0.35 / max(count, 2))))
    reached = (value - low) / (high - low) if np.isfinite(value) else -0.12
    return [*path, (float(len(info.axes)), max(reached, -0.12))]


KIND = FigureKind(
    "parallel",
    "every run as a line through its levels of all factors",
    lambda sweep, request: parallel_info(sweep.runs, factors=sweep.factors, metric=request.metric),
    _draw,
    _describe,
    takes=("metric",),
)
