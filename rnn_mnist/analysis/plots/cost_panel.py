"""A metric against one cost: a mark for each setting, and the line of those that are worth what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.cost_info import COSTS, CostInfo
from rnn_mnist.analysis.plots.value_axis import ValueRange, draw_marks
from rnn_mnist.catalogues.metrics import METRICS, Metric


@dataclass(frozen=True)
class CostLook:
    """How the settings of a figure look.

    Attributes:
        styles: of each setting.
        values: the axis of what they reached.
        crowded: whether there are too many for more than one mark each.
    """

    styles: Sequence[style.SeriesStyle]
    values: ValueRange
    crowded: bool


def draw_panel(ax: Axes, info: CostInfo, panel: int, look: CostLook) -> None:
    """Draw the settings against the cost of that place in :data:`COSTS`."""
    shown, front = info.metric.shown, info.fronts[panel]
    ax.set_ylim(look.values.low, look.values.high)
    if front.resolved:
        x = [info.settings[i].costs[panel] for i in front.resolved]
        y = [shown(info.settings[i].average) for i in front.resolved]
        # From the dearest setting of the front on nothing is resolved to be better, however much is paid.
        dearest = max((setting.costs[panel] for setting in info.settings if np.isfinite(setting.average)), default=1.0)
        ax.step([*x, dearest], [*y, y[-1]], where="post", color=style.INK, linewidth=1, zorder=1)
    for index, setting in enumerate(info.settings):
        if setting.reached.n:
            _draw_setting(ax, info, index, panel, look)
    if look.crowded:
        _label_front(ax, info, panel)
    _cost_axis(ax, METRICS[COSTS[panel]], np.array([setting.costs[panel] for setting in info.settings]))


def _draw_setting(ax: Axes, info: CostInfo, index: int, panel: int, look: CostLook) -> None:
    setting, own, front = info.settings[index], look.styles[index], info.fronts[panel]
    cost, reached, shown = setting.costs[panel], setting.reached, info.metric.shown
    on_front, unresolved = index in front.resolved, index in front.unresolved
    colour = style.INK if look.crowded and on_front else own.colour
    values = shown(np.array(reached.values))
    if not look.crowded:
        inside = values[look.values.inside(values)]
        ax.plot(np.full(len(inside), cost), inside, ".", color=colour, alpha=0.4, markersize=3.5, mew=0, zorder=2)
    if not look.values.inside(np.array([shown(setting.average)]))[0]:
        # Words stand on the side where there is room for them.
        dear = cost > np.median([other.costs[panel] for other in info.settings if other.reached.n])
        draw_marks(ax, cost, values, "", info.metric, colour, above=look.values.above, left=bool(dear))
        return
    strength = 1.0 if on_front or unresolved or not setting.eligible else 0.4
    if reached.low is not None and reached.high is not None and (on_front or not look.crowded):
        ax.vlines(cost, shown(reached.low), shown(reached.high), color=colour, linewidth=1, alpha=strength, zorder=2)
    edge = colour if not setting.eligible else style.INK if on_front or unresolved else "white"
    ax.plot(
        cost, shown(setting.average), own.marker, color=colour, mfc=colour if setting.eligible else "white",
        mec=edge, alpha=strength, markersize=6.5 if on_front else 5.0, mew=1.1 if on_front else 0.6,
        zorder=4 + on_front,
    )  # fmt: skip


def numbers_of(info: CostInfo) -> dict[int, int]:
    """A number for each setting on a front, where a legend of all settings would be too long."""
    on_fronts = sorted(
        {index for front in info.fronts for index in front.resolved}, key=lambda index: info.settings[index].costs
    )
    return {index: number for number, index in enumerate(on_fronts, 1)}


def _label_front(ax: Axes, info: CostInfo, panel: int) -> None:
    for index, number in numbers_of(info).items():
        if index in info.fronts[panel].resolved:
            place = (info.settings[index].costs[panel], info.metric.shown(info.settings[index].average))
            ax.annotate(
                str(number), place, xytext=(-2, 6), textcoords="offset points", ha="right", fontsize=7, weight="bold"
            )


def _cost_axis(ax: Axes, cost: Metric, costs: np.ndarray) -> None:
    costs = costs[np.isfinite(costs)]
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short_number(value)))
    if cost.logarithmic and len(costs) and costs.max() / max(costs.min(), 1e-9) >= 4:
        ax.set_xscale("log")
        few = costs.max() / costs.min() < 20
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short_number(value)))
        ax.xaxis.set_minor_formatter(
            FuncFormatter(lambda value, _: _short_number(value) if f"{value:e}"[0] in "25" else "")
            if few
            else NullFormatter()
        )
    ax.margins(x=0.08)


def _short_number(value: float) -> str:
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:g}{unit}"
    return f"{value:g}"
