"""Curves over epochs or time steps: the mean over seeds with its interval, or each seed where there are too few."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.replicates import CONFIDENCE
from rnn_mnist.analysis.statistics.by_seed import FEWEST_TO_SPEAK

# More curves than this in one panel cannot be told apart: each setting then gets a panel.
MOST_IN_A_PANEL = 8
MOST_PANELS = 12


@dataclass(frozen=True)
class Curve:
    """The replicates of one setting along an axis.

    Attributes:
        x: the epochs or steps.
        seeds: one array ``[x]`` a seed; NaN where that seed has no value (it stopped early, or failed).
        mean, low, high: ``[x]``; NaN where fewer than 3 seeds have a value.
    """

    x: np.ndarray
    seeds: tuple[np.ndarray, ...]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def has_mean(self) -> bool:
        """Whether there are enough seeds anywhere."""
        return bool(np.isfinite(self.mean).any())


def curve(table: pd.DataFrame, x: str, y: str) -> Curve:
    """The curve of one setting from a long table with a row for each run and ``x``."""
    wide = table.pivot(index=x, columns="directory", values=y).dropna(how="all", axis=1).sort_index()
    values = wide.to_numpy(float)  # [x, seed]
    count = np.isfinite(values).sum(axis=1)
    mean, low, high = (np.full(len(wide), np.nan) for _ in range(3))
    enough = count >= FEWEST_TO_SPEAK
    if enough.any():
        mean[enough] = np.nanmean(values[enough], axis=1)
        error = np.nanstd(values[enough], axis=1, ddof=1) / np.sqrt(count[enough])
        half = stats.t.ppf((1 + CONFIDENCE) / 2, count[enough] - 1) * error
        low[enough], high[enough] = mean[enough] - half, mean[enough] + half
    return Curve(wide.index.to_numpy(float), tuple(values.T), mean, low, high)


def draw_curve(
    ax: Axes, curve: Curve, look: style.SeriesStyle, *, factor: float = 1.0, dashed: bool = False, markers: bool = True
) -> None:
    """Draw one curve; ``factor`` turns fractions into per cent, ``dashed`` is for the training set's."""
    line = (0, (3, 1.5)) if dashed else "-"
    every = max(1, len(curve.x) // 8)
    offset = _first_marker(look, every)
    marker = None if dashed or not markers else look.marker
    lines, width, size = ([curve.mean], None, 5) if curve.has_mean else (curve.seeds, 0.9, 4)
    for values in lines:
        ax.plot(
            curve.x, factor * values, color=look.colour, linestyle=line, alpha=0.55 if dashed else 1.0, linewidth=width,
            marker=marker, markevery=(offset, every), mec="white", mew=0.5, markersize=size,
        )  # fmt: skip
    if curve.has_mean and not dashed:
        ax.fill_between(curve.x, factor * curve.low, factor * curve.high, color=look.colour, alpha=0.18, linewidth=0)


def _first_marker(look: style.SeriesStyle, every: int) -> int:
    """Where a curve's first marker stands: not at the same place for all, so that they do not cover one another."""
    return style.MARKERS.index(look.marker) % every


def small_multiples(count: int) -> tuple[Figure, list[Axes]]:
    """A grid of small panels that share their axes, for curves that are too many for one."""
    columns = min(int(style.width() / 1.6), int(np.ceil(np.sqrt(count))))  # 4 in a page's width
    rows = -(-count // columns)
    figure = style.new_figure(1.55 * rows + 0.7)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    style.hide_unused(grid, count)
    return figure, list(grid.flat[:count])


def spread_evenly(scores: Sequence[float], most: int) -> list[int]:
    """At most ``most`` indices in their order, chosen evenly from the best score to the worst (NaN counts as worst)."""
    if len(scores) <= most:
        return list(range(len(scores)))
    ranked = np.argsort(-np.nan_to_num(np.array(scores, dtype=float), nan=-np.inf), kind="stable")
    return sorted(int(ranked[i]) for i in np.linspace(0, len(scores) - 1, most).round().astype(int))
