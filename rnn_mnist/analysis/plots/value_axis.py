"""The value axis of a figure: where it ends, and what lies beyond it."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from rnn_mnist.analysis.plots import style
from rnn_mnist.catalogues.metrics import Metric

# A few runs that never learned (11 % among 98 %) would squeeze all others into a line: the axis leaves them out, and
# marks them, where they lie this many times as far below the others as those lie apart, and are the minority.
_FAR = 12
_ABOVE = 0.6


@dataclass(frozen=True)
class ValueRange:
    """From where to where the axis goes, and whether values lie beyond it: below, or above where lower is better."""

    low: float
    high: float
    clipped: bool
    above: bool = False

    def inside(self, values: np.ndarray) -> np.ndarray:
        """Which values ``[n]`` are on the axis: all but those that never learned."""
        within: np.ndarray = values <= self.high if self.above else values >= self.low
        return within

    @property
    def handles(self) -> list[Line2D]:
        """The legend entry of runs that lie beyond the axis, if there are any."""
        return [style.beyond_handle(above=self.above)] if self.clipped else []


def find_range(
    values: np.ndarray, ends: np.ndarray, *, marked: bool = False, higher_is_better: bool | None = True
) -> ValueRange:
    """The range of a value axis.

    Args:
        values: of all runs, as shown.
        ends: of all intervals; they widen the axis, but never by more than the values' own range.
        marked: whether room is needed at the bottom for the marks of failed runs.
        higher_is_better: of losses (False) what never learned lies above, and is left out there.
    """
    above = higher_is_better is False
    ordered = np.sort(-values if above else values)
    clipped = False
    if len(ordered) >= 5 and np.ptp(ordered) > 0:
        gaps = np.diff(ordered)
        widest = int(gaps.argmax())
        better = len(ordered) - widest - 1
        rest = ordered[widest + 1 :]
        if gaps[widest] > _FAR * np.ptp(rest) and better >= max(5, _ABOVE * len(ordered)):
            ordered, clipped = rest, True
    ordered = np.sort(-ordered) if above else ordered
    low, high = float(ordered[0]), float(ordered[-1])
    span = high - low or max(abs(high) * 0.01, 1e-3)
    for end in ends:
        if low - 1.5 * span <= end <= high + 1.5 * span:
            low, high = min(low, float(end)), max(high, float(end))
    span = high - low or span
    lowest = low - span * (0.08 + 0.1 * (marked + (clipped and not above)))
    return ValueRange(lowest, high + span * (0.08 + 0.1 * (clipped and above)), clipped, above)


def draw_marks(
    ax: Axes,
    place: float,
    beyond: np.ndarray,
    diverged: str,
    metric: Metric,
    colour: str,
    *,
    above: bool = False,
    left: bool = False,
) -> None:
    """What has no place on the axis: diverged runs along its bottom edge, runs beyond it (as shown) with their value.

    Args:
        ax: the axes.
        place: where along the other axis.
        beyond: values of runs that lie beyond the axis.
        diverged: how many have diverged, in words; empty for none.
        metric: what the values are.
        colour: of the runs beyond.
        above: whether those lie above.
        left: whether words stand left of their mark.
    """
    edges = ax.get_xaxis_transform()  # x in data, y as a share of the axis
    height = 0.035
    if diverged:
        ax.plot(place, height, style.FAILED_MARKER, color=style.FAILED, transform=edges, clip_on=False, zorder=5)
        _beside(ax, diverged, place, height, style.FAILED, left=left)
        height += 0.085
    if len(beyond):
        height = 0.965 if above else height
        ax.plot(place, height, "^" if above else "v", color=colour, mec="white", mew=0.5, transform=edges, zorder=5)
        low, high = beyond.min(), beyond.max()
        digits = metric.decimals
        text = f"{low:.{digits}f}" if len(beyond) == 1 or low == high else f"{low:.{digits}f}–{high:.{digits}f}"
        _beside(ax, text + (f" ×{len(beyond)}" if len(beyond) > 1 else ""), place, height, style.INK, left=left)


def _beside(ax: Axes, text: str, place: float, height: float, colour: str, *, left: bool) -> None:
    ax.annotate(
        text, (place, height), xycoords=ax.get_xaxis_transform(), xytext=(-4 if left else 4, 0),
        textcoords="offset points", fontsize=6, color=colour, ha="right" if left else "left", va="center",
        annotation_clip=False,
    )  # fmt: skip
