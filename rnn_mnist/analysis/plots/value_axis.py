"""The value axis of a figure: where it ends, and what lies below it."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from rnn_mnist.analysis.plots import style
from rnn_mnist.catalogues.metrics import Metric

# A few runs that never learned (11 % among 98 %) would squeeze all others into a line: the axis leaves them out, and
# marks them, where they lie this many times as far below the others as those lie apart, and are the minority.
_FAR = 12
_ABOVE = 0.6


@dataclass(frozen=True)
class ValueRange:
    """From where to where the axis goes, and whether values lie below it."""

    low: float
    high: float
    clipped: bool


def find_range(values: np.ndarray, ends: np.ndarray, *, marked: bool = False) -> ValueRange:
    """The range of a value axis.

    Args:
        values: of all runs, as shown.
        ends: of all intervals; they widen the axis, but never by more than the values' own range.
        marked: whether room is needed at the bottom for the marks of failed runs.
    """
    ordered = np.sort(values)
    clipped = False
    if len(ordered) >= 5 and np.ptp(ordered) > 0:
        gaps = np.diff(ordered)
        widest = int(gaps.argmax())
        above = len(ordered) - widest - 1
        rest = ordered[widest + 1 :]
        if gaps[widest] > _FAR * np.ptp(rest) and above >= max(5, _ABOVE * len(ordered)):
            ordered, clipped = rest, True
    low, high = float(ordered[0]), float(ordered[-1])
    span = high - low or max(abs(high) * 0.01, 1e-3)
    for end in ends:
        if low - 1.5 * span <= end <= high + 1.5 * span:
            low, high = min(low, float(end)), max(high, float(end))
    span = high - low or span
    lowest = low - span * (0.08 + 0.1 * (marked + clipped))
    return ValueRange(lowest, high + span * 0.08, clipped)


def draw_marks(ax: Axes, place: float, below: np.ndarray, failed: int, metric: Metric, colour: str) -> None:
    """Failed runs, and runs below the axis with their value, along its bottom edge."""
    bottom = ax.get_xaxis_transform()  # x in data, y as a share of the axis
    height = 0.035
    if failed:
        ax.plot(place, height, style.FAILED_MARKER, color=style.FAILED, transform=bottom, clip_on=False, zorder=5)
        if failed > 1:
            _beside(ax, f"×{failed}", place, height, style.FAILED)
        height += 0.085
    if len(below):
        ax.plot(place, height, "v", color=colour, mec="white", mew=0.5, transform=bottom, zorder=5)
        low, high = below.min(), below.max()
        digits = metric.decimals
        text = f"{low:.{digits}f}" if len(below) == 1 or low == high else f"{low:.{digits}f}–{high:.{digits}f}"
        _beside(ax, text + (f" ×{len(below)}" if len(below) > 1 else ""), place, height, style.INK)


def _beside(ax: Axes, text: str, place: float, height: float, colour: str) -> None:
    ax.annotate(
        text, (place, height), xycoords=ax.get_xaxis_transform(), xytext=(4, 0), textcoords="offset points",
        fontsize=6, color=colour, va="center", annotation_clip=False,
    )  # fmt: skip
