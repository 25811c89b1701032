"""The report of one or several sweeps, as one HTML file that needs nothing else."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.default_figures import default_figures
from rnn_mnist.analysis.plots.figures import DrawnFigure, Sweep, draw
from rnn_mnist.analysis.reading.results import Runs, completed
from rnn_mnist.analysis.report import interactive, run_provenance, tables
from rnn_mnist.errors import ExpectedError

# Drawings of more than this many bytes (many runs, many images) are embedded as pictures instead.
_LARGEST_SVG = 600_000


@dataclass(frozen=True)
class EmbeddedFigure:
    """A figure as a data URI, its caption, which is its alternative text too, and its name."""

    name: str
    caption: str
    uri: str


def render_report(loaded: Runs) -> str:
    """The whole HTML.

    Raises:
        ResultsError: if no run is completed.
    """
    runs = loaded.frame
    completed(runs)
    sweep = Sweep(runs)
    figures, missing = _figures(sweep)
    compared = sweep.effects if sweep.factors else pd.DataFrame()
    environment = Environment(
        loader=PackageLoader("rnn_mnist.analysis.report", "."), autoescape=True, undefined=StrictUndefined
    )
    states = runs["status"].value_counts()
    page: str = environment.get_template("report.html.j2").render(
        title=", ".join(dict.fromkeys(runs["sweep"])),
        questions=list(dict.fromkeys(runs["question"].dropna())),
        provenance=run_provenance.collect(loaded.records),
        states={str(state): int(count) for state, count in states.items()},
        settings=int(runs["setting_id"].nunique()),
        factors=sweep.factors,
        summary=tables.settings_table(runs, sweep.factors),
        effects=tables.effects_table(compared) if len(compared) else None,
        importance_notes=list(sweep.importance.attrs.get("notes", ())) if _has_importance(figures) else [],
        unsuccessful=tables.unsuccessful_table(runs, sweep.factors) if (runs["status"] != "completed").any() else None,
        problems=[*loaded.problems, *loaded.duplicates],
        figures=figures,
        missing=missing,
        parallel=interactive.parallel_coordinates(runs, sweep.factors) if sweep.factors else None,
        scatter=interactive.scatter(runs, sweep.factors),
        plotly=get_plotlyjs(),
    )
    return page


def write_report(runs: Runs, path: Path) -> None:
    """Write the report, and the folders above it.

    Raises:
        ResultsError: if no run is completed.
    """
    page = render_report(runs)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def _figures(sweep: Sweep) -> tuple[list[EmbeddedFigure], list[str]]:
    figures, missing = [], []
    for request in default_figures(sweep):
        try:
            figures.append(_embed(draw(sweep, request)))
        except ExpectedError as error:
            missing.append(f"{request.kind}: {error}")
    return figures, missing


def _embed(drawn: DrawnFigure) -> EmbeddedFigure:
    content, kind = _rendered(drawn, "svg"), "svg+xml"
    if len(content) > _LARGEST_SVG:
        content, kind = _rendered(drawn, "png"), "png"
    # A picture and not inline SVG: matplotlib's ids are unique within a figure only.
    return EmbeddedFigure(drawn.name, drawn.caption, f"data:image/{kind};base64,{base64.b64encode(content).decode()}")


def _rendered(drawn: DrawnFigure, suffix: str) -> bytes:
    buffer = io.BytesIO()
    with style.publication():
        drawn.figure.savefig(buffer, format=suffix, metadata={"Date": None} if suffix == "svg" else None)
    return buffer.getvalue()


def _has_importance(figures: list[EmbeddedFigure]) -> bool:
    return any(figure.name.startswith("importance") for figure in figures)
