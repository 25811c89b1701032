"""All kinds of figures, and how one is drawn and saved."""

import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from rnn_mnist.analysis.plots import (
    confusion,
    cost,
    effect,
    forest,
    importance,
    interaction,
    learning_curves,
    parallel,
    partial,
    seeds,
    style,
    time_steps,
)
from rnn_mnist.analysis.plots.figure_kind import FACTOR_OPTIONS, FigureKind, Request, Sweep
from rnn_mnist.analysis.reading.factors import resolve_factor
from rnn_mnist.analysis.reading.run_directories import ResultsError
from rnn_mnist.catalogues.catalogue import Catalogue

FORMATS = ("png", "svg", "pdf")
DEFAULT_FORMATS = ("png", "svg")

KINDS: Catalogue[FigureKind[Any]] = Catalogue(
    "figures",
    FigureKind,
    (
        effect.KIND,
        interaction.KIND,
        forest.KIND,
        importance.KIND,
        partial.KIND,
        learning_curves.KIND,
        time_steps.KIND,
        cost.KIND,
        seeds.KIND,
        confusion.KIND,
        parallel.KIND,
    ),
)


@dataclass(frozen=True)
class DrawnFigure:
    """A figure with the name of its file and a caption that says in words what it shows."""

    name: str
    caption: str
    figure: Figure

    def rendered(self, suffix: str) -> bytes:
        """The content of its file; the same figure always gives the same bytes."""
        buffer = io.BytesIO()
        with style.publication():
            self.figure.savefig(buffer, format=suffix, metadata={"Date": None} if suffix == "svg" else None)
        return buffer.getvalue()


def kinds_help() -> str:
    """A line for each kind, for the help of a command."""
    width = max(map(len, KINDS)) + 2
    return "\n".join(f"  {kind.name:{width}}{kind.summary}" for kind in KINDS.values())


def draw(sweep: Sweep, request: Request, look: style.Look | None = None) -> DrawnFigure:
    """Draw one figure; ``look`` is how it is printed.

    Raises:
        ExpectedError: if the kind, a factor, the metric or the setting is not there, or the kind does not take it; the
            message says what there is.
    """
    if request.kind not in KINDS:
        raise ResultsError(f"{request.kind}: no such kind of figure; there are {', '.join(KINDS)}")
    kind = KINDS[request.kind]
    for option in request.given:
        if option not in kind.takes:
            raise ResultsError(f"{kind.name}: takes no {option}; it takes {', '.join(kind.takes) or 'no option'}")
    if look is not None and look.width < kind.narrowest:
        raise ResultsError(f"{kind.name}: does not fit into {look.width:g} inches; --width {kind.narrowest:g} or more")
    keys = {name: resolve_factor(sweep.runs, key) for name, key in request.given.items() if name in FACTOR_OPTIONS}
    request = replace(request, **_with_needed(sweep, kind, keys))
    with style.publication(look):
        figure, caption = kind.build(sweep, request)
        style.lay_out(figure)
    return DrawnFigure(_file_name(kind, request), caption, figure)


def save(drawn: DrawnFigure, directory: Path, formats: Iterable[str] = DEFAULT_FORMATS) -> list[Path]:
    """Write a figure in each format and return the paths."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / f"{drawn.name}.{suffix}" for suffix in formats]
    for path in paths:
        path.write_bytes(drawn.rendered(path.suffix[1:]))
    return paths


def _with_needed(sweep: Sweep, kind: FigureKind[Any], given: dict[str, str]) -> dict[str, str]:
    """What was given of factor, hue and facet, and for what is needed too the first factors that remain."""
    remaining = [key for key in sweep.factors if key not in given.values()]
    missing = [name for name in FACTOR_OPTIONS[: kind.needs] if name not in given]
    if len(missing) > len(remaining):
        there = ", ".join(sweep.factors) or "none"
        raise ResultsError(f"{kind.name}: needs {len(missing) - len(remaining)} more to vary; what varies: {there}")
    return given | dict(zip(missing, remaining, strict=False))


def _file_name(kind: FigureKind[Any], request: Request) -> str:
    # A factor that only orders what is shown anyway names no figure of its own.
    parts = [value for name, value in request.given.items() if kind.needs or name not in FACTOR_OPTIONS]
    name = "-".join([kind.name, *parts])
    return "".join(letter if letter.isalnum() or letter in "._=-" else "_" for letter in name)[:120]
