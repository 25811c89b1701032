"""How every figure looks: publication size, readable in grey and by the colour-blind, without pyplot's global state."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from rnn_mnist.analysis.plots.factor_axis import FactorAxis

WIDTH = 6.8  # inches: the text width of a page, two columns of most journals

NARROWEST, WIDEST = 2.5, 20.0  # inches
NARROW = 5.0  # inches; below that a legend would leave its axes no room beside it

INK = "#222222"
GREY = "#8a8a8a"
PALE = "#d9d9d9"
FAILED = "#b2182b"
FAILED_MARKER = "X"

# Okabe and Ito (2008), in an order in which neighbours differ in lightness too.
_HUES = ("#0072B2", "#E69F00", "#000000", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
MARKERS = ("o", "s", "^", "D", "v", "P", "*")
_LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))

_SETTINGS: Any = {  # matplotlib types the keys as 400 literals
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the same figure on every machine
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8.5,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.color": "#ececec",
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 7.5,
    "legend.title_fontsize": 7.5,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.5,
    "text.color": INK,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    # Laid out as it is saved: text hinted for another resolution has another width, and long labels would be cut.
    "figure.dpi": 200,
    "savefig.dpi": 200,
    "text.hinting": "none",
    "svg.hashsalt": "rnn_mnist",  # the same figure gives the same file
    # Outlines that an editor can still read as text, which many journals ask for.
    "pdf.fonttype": 42,
}


@dataclass(frozen=True)
class SeriesStyle:
    """How one series looks; no two of a figure share both colour and marker."""

    colour: str
    marker: str
    line: Any


@dataclass(frozen=True)
class Look:
    """What whoever prints a figure decides.

    Attributes:
        width: inches.
        title: above everything else; None: none.
        footer: whether what it shows stands below it.
    """

    width: float = WIDTH
    title: str | None = None
    footer: bool = True


_USUAL = Look()
_look: ContextVar[Look] = ContextVar("look", default=_USUAL)


@contextmanager
def publication(look: Look | None = None) -> Iterator[None]:
    """The settings under which figures are both made and saved; without a ``look`` that of the context around."""
    token = _look.set(look or _look.get())
    try:
        with matplotlib.rc_context(_SETTINGS):
            yield
    finally:
        _look.reset(token)


def new_figure(height: float) -> Figure:
    """An empty figure as wide as the look; inches. Only within :func:`publication`."""
    return Figure(figsize=(_look.get().width, height), layout=ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06))


def width() -> float:
    """Of the figures that are being made, in inches."""
    return _look.get().width


def lay_out(figure: Figure) -> None:
    """Place everything for good: it takes longer than drawing, and is the same for every format."""
    with publication():
        figure.draw_without_rendering()
        engine = figure.get_layout_engine()
        if engine is not None:
            engine.execute(figure)  # once more: the first pass cuts long labels, whose size it does not know yet
        figure.set_layout_engine("none")
        _add_title(figure)


def _add_title(figure: Figure) -> None:
    """The title that was asked for, above all else; the figure, laid out already, grows by its height."""
    if _look.get().title is None:
        return
    title = wrap(str(_look.get().title), int(width() * 14))
    before = figure.get_figheight()
    figure.set_figheight(before + 0.17 * (title.count("\n") + 1) + 0.05)
    rest = before / figure.get_figheight()
    for ax in figure.axes:
        left, bottom, across, up = ax.get_position().bounds
        ax.set_position((left, bottom * rest, across, up * rest))
    for text in figure.texts:
        text.set_y(text.get_position()[1] * rest)
    for legend in figure.legends:
        legend.set_bbox_to_anchor((0, 0, 1, rest), transform=figure.transFigure)
    figure.text(0.01, 1 - 0.04 / figure.get_figheight(), title, fontsize=9, va="top")


def series_styles(count: int, *, ordered: bool = False) -> list[SeriesStyle]:
    """One style a series. Ordered series (numbers) run from dark to light, which survives a print in grey."""
    if ordered or count > len(_HUES) * len(MARKERS):
        shades = colormaps["viridis"](np.linspace(0.0, 0.85, max(count, 2)))
        colours = [to_hex(shade) for shade in shades][:count]
    else:
        colours = [_HUES[i % len(_HUES)] for i in range(count)]
    # The marker moves on by one each time that the colours are used up, so that no pair comes twice.
    shift = [0 if ordered else i // len(_HUES) for i in range(count)]
    return [
        SeriesStyle(colours[i], MARKERS[(i + shift[i]) % len(MARKERS)], _LINES[(i + shift[i]) % len(_LINES)])
        for i in range(count)
    ]


def add_footer(figure: Figure, text: str) -> None:
    """What the figure shows, small, below everything else."""
    if not _look.get().footer:
        return
    lines = wrap(text, int(figure.get_figwidth() * 20))
    figure.supxlabel(lines, fontsize=6, color="#666666", x=0.01, ha="left", linespacing=1.3)


def add_list(figure: Figure, entries: Sequence[str]) -> None:
    """Lines of small text above all axes; the figure grows by their height."""
    lines = [wrap(entry, int(figure.get_figwidth() * 20)) for entry in entries]
    text = "\n".join(lines)
    figure.set_figheight(figure.get_figheight() + 0.11 * (text.count("\n") + 1))
    figure.suptitle(text, fontsize=6.5, x=0.01, ha="left", linespacing=1.2)


def wrap(text: str, width: int) -> str:
    """``text`` in lines of at most ``width`` characters, broken after ``_``, ``.``, ``=`` or ``,`` where it must be."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        lines += textwrap.wrap(_breakable(paragraph, width), width, break_long_words=True) or [""]
    return "\n".join(lines)


def _breakable(text: str, width: int) -> str:
    """Spaces put into words that are too long for a line, at the last place where a reader would break them."""
    words = []
    for word in text.split(" "):
        rest = word
        while len(rest) > width:
            cut = max(rest.rfind(mark, 1, width) for mark in "_.=,-/") + 1 or width
            words.append(rest[:cut])
            rest = rest[cut:]
        words.append(rest)
    return " ".join(words)


def outside_legend(figure: Figure, handles: Sequence[Artist], title: str | None = None) -> None:
    """A legend beside all axes, or above those of a narrow figure, where it covers nothing; the figure grows for it."""
    if not handles:
        return
    beside = figure.get_figwidth() >= NARROW
    lines = sum(str(handle.get_label()).count("\n") + 1 for handle in handles) + (title is not None)
    # In inches, of 7.5 points: a line is 1.2 times as high as its letters, and between entries there is 0.6 of it.
    needed = (1.2 * lines + 0.6 * len(handles) + 2) * 7.5 / 72
    if beside:
        figure.set_figheight(max(figure.get_figheight(), needed))
    else:
        figure.set_figheight(figure.get_figheight() + needed / 2)
    figure.legend(
        handles=handles,
        title=title,
        loc="outside right upper" if beside else "outside upper left",
        ncols=1 if beside else 2,
        alignment="left",
        handlelength=2.6,
        labelspacing=0.6,
    )


def failed_handle(label: str) -> Line2D:
    """The legend entry of failed runs."""
    return Line2D([], [], color=FAILED, marker=FAILED_MARKER, linestyle="none", label=label)


def seed_count(counts: Sequence[int], unit: str) -> str:
    """How many seeds each point, curve or setting of a figure has, for its footer."""
    return _count("seed", counts, unit)


def run_count(counts: Sequence[int], unit: str) -> str:
    """The same of runs that are no replicates."""
    return _count("run", counts, unit)


def _count(what: str, counts: Sequence[int], unit: str) -> str:
    fewest, most = min(counts, default=0), max(counts, default=0)
    if fewest == most:
        return f"{most} {what}{'' if most == 1 else 's'} a {unit}"
    return f"{fewest} to {most} {what}s a {unit}"


def failed_sentence(count: int, how: str) -> str:
    """What a caption says of failed runs, if there are any."""
    if not count:
        return ""
    return f" {count} failed run{' is' if count == 1 else 's are'} {how}."


def beyond_handle(*, above: bool, sideways: bool = False) -> Line2D:
    """The legend entry of runs that lie beyond the low or the high end of the axis, which may lie ``sideways``."""
    marker = ("<>" if sideways else "v^")[above]
    label = ("below the axis", "above the axis")[above]
    return Line2D([], [], color=GREY, marker=marker, linestyle="none", label=label)


def series_handle(look: SeriesStyle, label: str, *, line: Any = None, width: int = 26) -> Line2D:
    """The legend entry of a series, long names in several lines."""
    return Line2D(
        [], [], color=look.colour, marker=look.marker, linestyle=look.line if line is None else line,
        label=wrap(label, width), markeredgecolor="white", markeredgewidth=0.5, markersize=5.5,
    )  # fmt: skip


def hide_unused(axes: np.ndarray, used: int) -> None:
    """Remove the panels of a grid that nothing is drawn in."""
    for ax in axes.flat[used:]:
        ax.remove()


def level_ticks(ax: Axes, axis: FactorAxis, notes: Sequence[str], *, room: float) -> None:
    """The levels of a factor as tick labels: wrapped, slanted, then fewer, where ``room`` (inches) is too little."""
    ax.xaxis.set_minor_locator(NullLocator())
    texts = [wrap(label, 22) for label in axis.labels]
    longest = max(len(line) for text in texts for line in text.splitlines())
    places = np.log10(axis.positions) if axis.scale == "log" else np.array(axis.positions)
    # Half a gap is left at either end of the axis.
    gap = float(np.diff(places).min()) if len(places) > 1 else 1.0
    inches = (places - places[0]) * room / (float(np.ptp(places)) + gap)
    slanted = longest * 0.068 > (float(np.diff(inches).min()) if len(places) > 1 else room)
    texts = [f"{text}\n{note}" if note else text for text, note in zip(texts, notes, strict=True)]
    kept = _apart(inches, 0.14 * (1 + any(notes)) if slanted else 0.0)
    ax.xaxis.set_ticks([axis.positions[i] for i in kept], [texts[i] for i in kept])
    if slanted:
        for tick in ax.get_xticklabels():
            tick.set(rotation=40, ha="right", rotation_mode="anchor", linespacing=0.95, fontsize=7)
    ax.grid(axis="x", visible=False)


def _apart(places: np.ndarray, least: float) -> list[int]:
    """The indices of ascending places from the first on that are at least so far apart."""
    kept: list[int] = []
    for index, place in enumerate(places):
        if not kept or place - places[kept[-1]] >= least - 1e-9:
            kept.append(index)
    return kept
