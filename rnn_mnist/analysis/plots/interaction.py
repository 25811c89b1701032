"""A heatmap of two factors: the mean of a metric, and the number of seeds, in each cell."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.factor_axis import FactorAxis, factor_axis
from rnn_mnist.analysis.plots.figure_kind import FigureKind
from rnn_mnist.analysis.plots.replicates import averaged_over
from rnn_mnist.analysis.plots.source import Source, find_source
from rnn_mnist.analysis.plots.value_axis import find_range
from rnn_mnist.analysis.reading.results import check_metric, completed
from rnn_mnist.catalogues.metrics import Metric
from rnn_mnist.runs.record import State

_COLOURS = "cividis"  # even in lightness, for the eye, for print in grey and for the colour-blind


@dataclass(frozen=True)
class Cell:
    """One combination of levels; ``mean`` is None where no run has completed."""

    mean: float | None
    n: int
    failed: int


@dataclass(frozen=True)
class InteractionInfo:
    """What the figure shows; ``cells[i][j]`` has level i of ``vertical`` and j of ``horizontal``.

    Attributes:
        averaged, pooled: as in :class:`rnn_mnist.analysis.plots.effect.EffectInfo`.
    """

    metric: Metric
    horizontal: FactorAxis
    vertical: FactorAxis
    cells: tuple[tuple[Cell, ...], ...]
    averaged: tuple[str, ...]
    pooled: tuple[str, ...]
    source: Source


def interaction_info(
    runs: pd.DataFrame, factor: str, other: str, *, factors: Sequence[str], metric: str = "test_accuracy"
) -> InteractionInfo:
    """Arrange runs by ``factor`` (horizontal) and ``other`` (vertical); ``factors`` are all keys that vary."""
    judged = check_metric(runs, metric)
    completed(runs)
    shown = [factor, other]
    remaining = [key for key in factors if key not in shown]
    table, fair = averaged_over(runs, shown, remaining, metric)
    horizontal, vertical = factor_axis(runs, factor), factor_axis(runs, other)

    def cell(rows: pd.DataFrame) -> Cell:
        values = rows.loc[rows["status"] == State.completed, metric].dropna().to_numpy(float)
        mean = float(values.mean()) if len(values) else None
        return Cell(mean, len(values), int((rows["status"] == State.failed).sum()))

    rows_of = [vertical.rows(table, level) for level in vertical.levels]
    return InteractionInfo(
        metric=judged,
        horizontal=horizontal,
        vertical=vertical,
        cells=tuple(tuple(cell(horizontal.rows(rows, level)) for level in horizontal.levels) for rows in rows_of),
        averaged=tuple(remaining) if fair else (),
        pooled=() if fair else tuple(remaining),
        source=find_source(runs),
    )


def _describe(info: InteractionInfo) -> str:
    metric = info.metric
    text = f"Mean {metric.label.lower()} for each combination of {info.vertical.key} and {info.horizontal.key}."
    found = [
        (cell.mean, f"{info.vertical.labels[i]}, {info.horizontal.labels[j]}")
        for i, row in enumerate(info.cells)
        for j, cell in enumerate(row)
        if cell.mean is not None
    ]
    if len(found) > 1:
        (low, lowest), (high, highest) = min(found), max(found)
        text += f" From {metric.text(low)} ({lowest}) to {metric.text(high)} ({highest})."
    return text


def _draw(info: InteractionInfo) -> Figure:
    rows, columns = len(info.vertical.levels), len(info.horizontal.levels)
    figure = style.new_figure(min(1.2 + 0.55 * rows, 8.5))
    ax = figure.subplots()
    means = np.array([[np.nan if cell.mean is None else cell.mean for cell in row] for row in info.cells])
    shown = info.metric.shown(means)
    # As on the other figures, one combination that never learned does not take up the whole scale.
    value_range = find_range(shown[np.isfinite(shown)], np.array([]))
    inside = shown[np.isfinite(shown) & (shown >= value_range.low)]
    image = ax.imshow(shown, cmap=_COLOURS, vmin=inside.min(), vmax=inside.max(), aspect="auto")
    colours = colormaps[_COLOURS]
    size = 7 if columns <= 8 and rows <= 12 else 5
    for i, row in enumerate(info.cells):
        for j, cell in enumerate(row):
            if cell.mean is None:
                hatch = Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor="white", edgecolor=style.PALE, hatch="////", lw=0)
                ax.add_patch(hatch)
            red, green, blue, _ = colours(_share(shown[i, j], inside)) if cell.mean is not None else (1, 1, 1, 1)
            ink = "white" if 0.3 * red + 0.59 * green + 0.11 * blue < 0.5 else style.INK
            ax.text(j, i, _cell_text(cell, info.metric, columns), ha="center", va="center", fontsize=size, color=ink)
    ax.set_yticks(range(rows), [style.wrap(label, 26) for label in info.vertical.labels])
    ax.set_xlabel(style.wrap(info.horizontal.key, 80))
    ax.set_ylabel(style.wrap(info.vertical.key, 12 + 6 * rows))
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    categories = replace(info.horizontal, scale="category", positions=tuple(map(float, range(columns))))
    style.level_ticks(ax, categories, [""] * columns, room=5.2)
    ax.grid(visible=False)
    bar = figure.colorbar(
        image, ax=ax, label=info.metric.axis_label, pad=0.02, extend="min" if value_range.clipped else None
    )
    bar.outline.set_visible(False)
    style.add_footer(figure, info.source.text(*_notes(info)))
    return figure


def _share(value: float, inside: np.ndarray) -> float:
    """Where a value stands on the scale of colours, 0 to 1."""
    low, high = float(inside.min()), float(inside.max())
    return float(np.clip((value - low) / (high - low), 0, 1)) if high > low else 0.0


def _cell_text(cell: Cell, metric: Metric, columns: int) -> str:
    if cell.mean is None:
        return f"{cell.failed} failed" if cell.failed else "not run"
    lines = [metric.number(cell.mean), f"n = {cell.n}" if columns <= 12 else f"{cell.n}"]
    return "\n".join(lines) + (f"\n{cell.failed} failed" if cell.failed else "")


def _notes(info: InteractionInfo) -> list[str]:
    notes = ["mean and number of seeds n"]
    if info.averaged:
        notes.append(f"each seed's mean over {', '.join(info.averaged)}")
    if info.pooled:
        notes = [f"mean over n runs that also vary, unevenly, in {', '.join(info.pooled)}"]
    return notes


KIND = FigureKind(
    "interaction",
    "a heatmap of --factor and --hue: the mean and the number of seeds in each cell",
    lambda sweep, request: interaction_info(
        sweep.runs, str(request.factor), str(request.hue), factors=sweep.factors, metric=request.metric
    ),
    _draw,
    _describe,
    takes=("factor", "hue", "metric"),
    needs=2,
)
