"""A heatmap of two factors: the mean of a metric, and the number of seeds, in each cell."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.factor_axis import FactorAxis, factor_axis
from rnn_mnist.analysis.plots.figure_kind import FigureKind, Request, Sweep
from rnn_mnist.analysis.plots.interaction_contrasts import ContrastOfContrasts, contrasts_of, contrasts_text
from rnn_mnist.analysis.plots.level_places import MOST_LABELS, level_places
from rnn_mnist.analysis.plots.replicates import averaged_over, replicates
from rnn_mnist.analysis.plots.source import Source, find_source
from rnn_mnist.analysis.plots.value_axis import find_range
from rnn_mnist.analysis.reading.levels import key_label, plain
from rnn_mnist.analysis.reading.outcomes import Outcomes, diverge_text, missing_text, outcomes
from rnn_mnist.analysis.reading.results import check_metric, completed
from rnn_mnist.analysis.statistics.interactions import interactions
from rnn_mnist.catalogues.metrics import Metric

# A table with more rows or columns than this shows colours without numbers.
MOST_WRITTEN = 14
# With a smaller share of its cells tried than this, a table is no way to show them.
_FULL = 0.3


@dataclass(frozen=True)
class Cell:
    """One combination of levels; ``mean`` is None where no run has completed, ``n`` the seeds that it is of."""

    mean: float | None
    n: int
    outcomes: Outcomes


@dataclass(frozen=True)
class InteractionInfo:
    """What the figure shows; ``cells[i][j]`` has level i of ``vertical`` and j of ``horizontal``.

    Attributes:
        averaged, pooled: as in :class:`rnn_mnist.analysis.plots.effect_info.EffectInfo`.
        contrasts: of every two levels of the one factor at every two of the other; empty where there are too few seeds.
        missing: runs without an outcome.
    """

    metric: Metric
    horizontal: FactorAxis
    vertical: FactorAxis
    cells: tuple[tuple[Cell, ...], ...]
    averaged: tuple[str, ...]
    pooled: tuple[str, ...]
    contrasts: tuple[ContrastOfContrasts, ...]
    missing: int
    source: Source

    @property
    def scattered(self) -> bool:
        """Whether both factors were sampled: a table of their levels would be all but empty."""
        tried = sum(cell.outcomes.ended > 0 for row in self.cells for cell in row)
        places = len(self.horizontal.levels) * len(self.vertical.levels)
        both = self.horizontal.numeric and self.vertical.numeric
        return both and places > 36 and tried < _FULL * places


def interaction_info(
    runs: pd.DataFrame,
    factor: str,
    other: str,
    *,
    factors: Sequence[str],
    metric: str = "test_accuracy",
    table: pd.DataFrame | None = None,
) -> InteractionInfo:
    """Arrange runs by ``factor`` (horizontal) and ``other`` (vertical); ``factors`` are all keys that vary.

    ``table`` is from :func:`rnn_mnist.analysis.statistics.interactions.interactions`; None for no contrasts.
    """
    judged = check_metric(runs, metric)
    completed(runs)
    shown = [factor, other]
    remaining = [key for key in factors if key not in shown]
    averaged = averaged_over(runs, shown, remaining, metric)
    horizontal, vertical = factor_axis(runs, factor), factor_axis(runs, other)

    values, behind = (_cells(frame, vertical, horizontal) for frame in (averaged.values, averaged.runs))

    def cell(i: int, j: int) -> Cell:
        reached = replicates(
            averaged.values.iloc[values.get((i, j), [])], metric, runs=averaged.runs.iloc[behind.get((i, j), [])]
        )
        return Cell(float(np.mean(reached.values)) if reached.n else None, reached.n, reached.outcomes)

    return InteractionInfo(
        metric=judged,
        horizontal=horizontal,
        vertical=vertical,
        cells=tuple(tuple(cell(i, j) for j in range(len(horizontal.levels))) for i in range(len(vertical.levels))),
        averaged=tuple(remaining) if averaged.fair else (),
        pooled=() if averaged.fair else tuple(remaining),
        contrasts=() if table is None else tuple(contrasts_of(table, {factor, other})),
        missing=outcomes(runs).missing,
        source=find_source(runs),
    )


def _cells(frame: pd.DataFrame, vertical: FactorAxis, horizontal: FactorAxis) -> dict[tuple[int, int], list[int]]:
    """The positions of the rows that belong to each cell."""
    places = [{repr(level): place for place, level in enumerate(axis.levels)} for axis in (vertical, horizontal)]
    found: dict[tuple[int, int], list[int]] = {}
    for position, (row, column) in enumerate(zip(frame[vertical.key], frame[horizontal.key], strict=True)):
        found.setdefault((places[0][repr(plain(row))], places[1][repr(plain(column))]), []).append(position)
    return found


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
    text += f" {contrasts_text(info.contrasts, info.metric)}" if info.contrasts else ""
    cells = [cell for row in info.cells for cell in row]
    failed, ended = (sum(getattr(cell.outcomes, name) for cell in cells) for name in ("diverged", "ended"))
    return text + (f" {diverge_text(failed, ended)}; they are in no mean." if failed else "")


def _draw(info: InteractionInfo) -> Figure:
    means = np.array([[np.nan if cell.mean is None else cell.mean for cell in row] for row in info.cells])
    shown = info.metric.shown(means)
    # As on the other figures, one combination that never learned does not take up the whole scale.
    value_range = find_range(shown[np.isfinite(shown)], np.array([]), higher_is_better=info.metric.higher_is_better)
    inside = shown[np.isfinite(shown) & value_range.inside(shown)]
    rows = len(info.vertical.levels)
    figure = style.new_figure(3.4 if info.scattered else min(1.2 + 0.55 * min(rows, MOST_WRITTEN), 6.5))
    ax = figure.subplots()
    ax.set_title(
        style.wrap(contrasts_text(info.contrasts, info.metric), int(15 * style.width())), loc="left", fontsize=7
    )
    image = (_draw_scatter if info.scattered else _draw_table)(ax, info, shown, inside)
    ax.set_xlabel(style.wrap(key_label(info.horizontal.key), int(12 * style.width())))
    ax.set_ylabel(style.wrap(key_label(info.vertical.key), 12 + 6 * min(rows, MOST_WRITTEN)))
    extend = {True: "max", False: "min"}[value_range.above] if value_range.clipped else "neither"
    bar = figure.colorbar(image, ax=ax, label=info.metric.axis_label, pad=0.02, extend=extend)
    bar.outline.set_visible(False)
    style.add_footer(figure, info.source.text(*_notes(info)))
    return figure


def _draw_table(ax: Axes, info: InteractionInfo, shown: np.ndarray, inside: np.ndarray) -> ScalarMappable:
    """A coloured cell for each combination, with its value in it as long as there is room."""
    rows, columns = shown.shape
    image = ax.imshow(shown, cmap=_colours(info.metric), vmin=inside.min(), vmax=inside.max(), aspect="auto")
    colours = colormaps[_colours(info.metric)]
    size = 7 if columns <= 8 and rows <= 12 else 5
    for i, row in enumerate(info.cells):
        for j, cell in enumerate(row):
            if cell.mean is None:
                hatch = Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor="white", edgecolor=style.PALE, hatch="////", lw=0)
                ax.add_patch(hatch)
            red, green, blue, _ = colours(_share(shown[i, j], inside)) if cell.mean is not None else (1, 1, 1, 1)
            ink = "white" if 0.3 * red + 0.59 * green + 0.11 * blue < 0.5 else style.INK
            if max(rows, columns) <= MOST_WRITTEN:
                text = _cell_text(cell, info.metric, columns)
                ax.text(j, i, text, ha="center", va="center", fontsize=size, color=ink)
            elif cell.outcomes.diverged:
                colour = ink if cell.mean is not None else style.FAILED
                ax.plot(j, i, style.FAILED_MARKER, color=colour, markersize=3, mew=0)
    kept = np.unique(np.linspace(0, rows - 1, min(rows, 20)).round().astype(int))
    ax.set_yticks(kept, [style.wrap(info.vertical.labels[i], 26) for i in kept])
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    categories = replace(info.horizontal, scale="category", positions=tuple(map(float, range(columns))))
    style.level_ticks(ax, categories, [""] * columns, room=5.0)
    ax.grid(visible=False)
    return image


def _draw_scatter(ax: Axes, info: InteractionInfo, shown: np.ndarray, inside: np.ndarray) -> ScalarMappable:
    """The combinations that were tried, where their numbers lie."""
    across = level_places(info.horizontal, sampled=True)
    along = level_places(info.vertical, sampled=True)
    there = np.argwhere(np.isfinite(shown))
    image = ax.scatter(
        across.positions[there[:, 1]], along.positions[there[:, 0]], c=shown[there[:, 0], there[:, 1]],
        cmap=_colours(info.metric), vmin=inside.min(), vmax=inside.max(), s=28, edgecolors="white", linewidths=0.5,
    )  # fmt: skip
    for i, row in enumerate(info.cells):
        for j, cell in enumerate(row):
            if cell.outcomes.diverged:
                ax.plot(across.positions[j], along.positions[i], style.FAILED_MARKER, color=style.FAILED, markersize=4)
    across.limit(ax.xaxis)
    across.round_ticks(ax.xaxis)
    along.limit(ax.yaxis)
    along.round_ticks(ax.yaxis)
    return image


def _colours(metric: Metric) -> str:
    """Even in lightness, for the eye, for print in grey and for the colour-blind; what is better is brighter."""
    return "cividis_r" if metric.higher_is_better is False else "cividis"


def _share(value: float, inside: np.ndarray) -> float:
    """Where a value stands on the scale of colours, 0 to 1."""
    low, high = float(inside.min()), float(inside.max())
    return float(np.clip((value - low) / (high - low), 0, 1)) if high > low else 0.0


def _cell_text(cell: Cell, metric: Metric, columns: int) -> str:
    diverged = cell.outcomes.diverged_text
    if columns > 8:  # a narrow cell
        diverged = diverged.replace(" diverges", "").replace(" diverge", "").replace(" of ", "/")
        diverged = f"{diverged} ×" if diverged else ""
    if cell.mean is None:
        return diverged or ("missing" if cell.outcomes.missing else "not run")
    lines = [metric.number(cell.mean), f"n = {cell.n}" if columns <= 12 else f"{cell.n}"]
    return "\n".join([*lines, diverged] if diverged else lines)


def _notes(info: InteractionInfo) -> list[str]:
    notes = ["mean and number of seeds n"]
    if info.averaged:
        notes.append(f"each seed's mean over {', '.join(info.averaged)}")
    if info.pooled:
        notes = [f"mean over n runs that also vary, unevenly, in {', '.join(info.pooled)}"]
    in_words = len(info.cells) <= MOST_WRITTEN and len(info.horizontal.levels) <= 8 and not info.scattered
    if not in_words and any(cell.outcomes.diverged for row in info.cells for cell in row):
        notes.append("×: diverged")
    return [*notes, missing_text(info.missing)]


def _info(sweep: Sweep, request: Request) -> InteractionInfo:
    # Differences of differences of a few levels each: of sampled factors there are thousands, and no two runs to one.
    few = all(sweep.runs[key].map(repr).nunique() <= MOST_LABELS for key in sweep.factors)
    return interaction_info(
        sweep.runs,
        str(request.factor),
        str(request.hue),
        factors=sweep.factors,
        metric=request.metric,
        table=interactions(sweep.runs, request.metric) if few else None,
    )


KIND = FigureKind(
    "interaction",
    "a heatmap of --factor and --hue: the mean and the number of seeds in each cell",
    _info,
    _draw,
    _describe,
    takes=("factor", "hue", "metric"),
    needs=2,
    narrowest=5.0,
)
