"""Where the levels of a factor stand along an axis, and those of several series side by side at each."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from rnn_mnist.analysis.plots.factor_axis import FactorAxis, Scale
from rnn_mnist.configuration.schema import declared

# A label for every level is too much beyond these.
MOST_LABELS = 12


@dataclass(frozen=True)
class LevelPlaces:
    """A factor's levels along an axis.

    Attributes:
        axis: the factor's.
        scale: of the axis here: numbers with many levels stand where they are, even if they crowd.
        positions: ``[level]``, in data coordinates of that scale.
        scattered: whether the axis has a few round ticks in place of one for each level.
    """

    axis: FactorAxis
    scale: Scale
    positions: np.ndarray
    scattered: bool

    @property
    def gap(self) -> float:
        """The smallest distance of two levels, on the scale."""
        positions = self._to_scale(self.positions)
        return float(np.diff(positions).min()) if len(positions) > 1 else 1.0

    def slots(self, index: int, count: int) -> np.ndarray:
        """Where series ``index`` of ``count`` stands at each level: side by side, so that intervals hide nothing."""
        step = 0.0 if self.scattered else min(0.16, 0.7 / count) * self.gap
        return self._from_scale(self._to_scale(self.positions) + (index - (count - 1) / 2) * step)

    def spread(self, slot: float, seeds: int, count: int) -> np.ndarray:
        """Places ``[seed]`` for the seeds of a point, a little apart and about the mean in their middle."""
        width = 0.0 if self.scattered else min(0.16, 0.5 / count) * self.gap
        offsets = np.linspace(-width / 2, width / 2, seeds) if seeds > 1 else np.zeros(seeds)
        return self._from_scale(self._to_scale(np.array([slot])) + offsets)

    def limit(self, axis: Axis) -> None:
        """Set the scale of an axis of a figure, and its ends."""
        setter = axis.axes.set_xscale if axis is axis.axes.xaxis else axis.axes.set_yscale
        limits = axis.axes.set_xlim if axis is axis.axes.xaxis else axis.axes.set_ylim
        if self.scale == "log":
            setter("log")
        positions = self._to_scale(self.positions)
        room = 0.03 * float(np.ptp(positions)) if self.scattered else 0.5 * self.gap
        limits(*self._from_scale(np.array([positions[0] - room, positions[-1] + room])))

    def round_ticks(self, axis: Axis) -> None:
        """A few ticks at round numbers."""
        if self.scale == "log":
            decades = float(np.ptp(np.log10(self.positions)))
            within = (1.0,) if decades > 2.5 else (1.0, 3.0) if decades > 1.2 else (1.0, 2.0, 5.0)
            axis.set_major_locator(LogLocator(subs=within))
        else:
            whole = all(isinstance(level, int) for level in self.axis.levels)
            axis.set_major_locator(MaxNLocator(6, integer=whole))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())

    def _to_scale(self, positions: np.ndarray) -> np.ndarray:
        return np.log10(positions) if self.scale == "log" else positions

    def _from_scale(self, positions: np.ndarray) -> np.ndarray:
        return 10.0**positions if self.scale == "log" else positions


def level_places(axis: FactorAxis, *, sampled: bool = False) -> LevelPlaces:
    """Where the levels stand; ``sampled``: they were drawn and not chosen, so that none needs a label of its own."""
    scattered = axis.numeric and len(axis.levels) > (1 if sampled else MOST_LABELS)
    if not scattered:
        return LevelPlaces(axis, axis.scale, np.array(axis.positions, dtype=float), scattered=False)
    about = declared(axis.key)
    logarithmic = about is not None and about.declared.scale == "log" and axis.levels[0] > 0
    return LevelPlaces(axis, "log" if logarithmic else "linear", np.array(axis.levels, dtype=float), scattered=True)
