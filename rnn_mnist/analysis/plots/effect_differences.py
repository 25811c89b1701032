"""The lower half of an effect figure: differences from the factor's reference, with their intervals."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.differences import LOOKS, MARGIN_COLOUR, Difference, axis_range
from rnn_mnist.analysis.plots.effect_info import EffectInfo
from rnn_mnist.analysis.reading.levels import plain, short_name


def draw_differences(ax: Axes, info: EffectInfo, looks: Sequence[style.SeriesStyle]) -> None:
    """The contrasts with the reference at the places of their levels, in the looks of their verdicts."""
    shown, metric = info.metric.shown, info.metric
    info.places.limit(ax.xaxis)
    ax.set_ylim(*axis_range(info.differences, metric, info.margin))
    if info.margin is not None:
        ax.axhspan(-shown(info.margin), shown(info.margin), color=MARGIN_COLOUR, zorder=0)
    ax.axhline(0, color=style.INK, linewidth=1, zorder=1)
    split = list(dict.fromkeys(row.place for row in info.differences))
    for index, place in enumerate(split):
        slots = info.places.slots(index, len(split))
        hue_look = looks[_hue_index(info, place)] if place else None
        for row in info.differences:
            if row.place != place:
                continue
            slot = slots[info.axis.place(plain(row.level))]
            _draw_difference(ax, float(slot), row, info, hue_look)
        if info.places.scattered:
            _draw_band(ax, [row for row in info.compared if row.place == place], info, slots)
    for reference in {repr(row.reference): row.reference for row in info.differences}.values():
        if not info.places.scattered:
            slot = info.places.positions[info.axis.place(plain(reference))]
            word = "reference" if len(info.axis.levels) <= 6 else "ref."
            ax.annotate(word, (slot, 0), xytext=(0, 2), textcoords="offset points", ha="center", fontsize=6.5,
                        color="#555555")  # fmt: skip
    over = [*info.averaged, *([] if split != [()] or info.hue is None else [info.hue.key])]
    unit = f" ({metric.difference_unit})" if metric.difference_unit else ""
    ax.set_ylabel(style.wrap(f"Difference from {info.references}{unit}", 26))
    if over:
        ax.set_title(style.wrap(f"averaged over {', '.join(short_name(key, over) for key in over)}", 90),
                     loc="left", fontsize=7)  # fmt: skip


def _draw_difference(
    ax: Axes, slot: float, row: Difference, info: EffectInfo, hue_look: style.SeriesStyle | None
) -> None:
    if not row.comparable or row.difference is None:
        if not info.places.scattered:
            ax.annotate("n/c", (slot, 0), xytext=(0, 2), textcoords="offset points", ha="center", fontsize=6.5,
                        color="#555555", style="italic")  # fmt: skip
        return
    shown, look = info.metric.shown, LOOKS[row.verdict]
    crowded = info.places.scattered
    faded = 0.45 if row.depends_on else 1.0
    if row.low is not None and row.high is not None and not crowded:
        line = hue_look.colour if hue_look else look.colour
        ax.vlines(slot, shown(row.low), shown(row.high), color=line, linewidth=1.5, alpha=faded)
    ax.plot(
        slot, shown(row.difference), look.marker, color=look.colour, mfc=look.colour if look.filled else "white",
        markersize=3 if crowded else 5.5, mew=0.6 if crowded else 1.1, alpha=faded, zorder=4,
    )  # fmt: skip


def _draw_band(ax: Axes, rows: Sequence[Difference], info: EffectInfo, slots: np.ndarray) -> None:
    """The intervals of many levels as one band: bars would merge into a block."""
    found = [
        (slots[info.axis.place(plain(row.level))], row.low, row.high) for row in rows if None not in (row.low, row.high)
    ]
    if found:
        along, low, high = np.array(sorted(found), dtype=float).T
        ax.fill_between(
            along, info.metric.shown(low), info.metric.shown(high), color="#6b6b6b", alpha=0.18, linewidth=0
        )


def _hue_index(info: EffectInfo, place: tuple[tuple[str, object], ...]) -> int:
    return info.hue.place(plain(place[0][1])) if info.hue else 0
