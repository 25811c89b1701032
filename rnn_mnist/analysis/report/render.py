"""The report of one or several sweeps, as one HTML file that needs nothing else."""

import base64
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from rnn_mnist.analysis.plots.default_figures import default_figures
from rnn_mnist.analysis.plots.figure_kind import Sweep
from rnn_mnist.analysis.plots.figures import DrawnFigure, draw
from rnn_mnist.analysis.reading.results import Runs, completed
from rnn_mnist.analysis.report import interactive, run_provenance, tables
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.record import State

# Drawings of more than this many bytes (many runs, many images) are embedded as pictures instead.
_LARGEST_SVG = 600_000


def render_report(loaded: Runs) -> str:
    """The whole HTML.

    Raises:
        ResultsError: if no run is completed.
    """
    runs = loaded.frame
    completed(runs)
    sweep = Sweep(runs)
    figures, missing = _figures(sweep)
    compared = sweep.effects("test_accuracy") if sweep.factors else pd.DataFrame()
    environment = Environment(
        loader=PackageLoader("rnn_mnist.analysis.report", "."), autoescape=True, undefined=StrictUndefined
    )
    states = runs["status"].value_counts()
    all_completed = bool((runs["status"] == State.completed).all())
    page: str = environment.get_template("report.html.j2").render(
        title=", ".join(dict.fromkeys(runs["sweep"])),
        questions=list(dict.fromkeys(runs["question"].dropna())),
        provenance=run_provenance.collect(loaded.records),
        states={str(state): int(count) for state, count in states.items()},
        settings=int(runs["setting_id"].nunique()),
        factors=sweep.factors,
        summary=tables.settings_table(runs, sweep.factors),
        effects=tables.effects_table(compared) if len(compared) else None,
        unsuccessful=None if all_completed else tables.unsuccessful_table(runs, sweep.factors),
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


def _figures(sweep: Sweep) -> tuple[list[tuple[DrawnFigure, str]], list[str]]:
    """The figures that suit, each with its data URI, and why others are missing."""
    figures, missing = [], []
    for request in default_figures(sweep):
        try:
            drawn = draw(sweep, request)
            figures.append((drawn, _data_uri(drawn)))
        except ExpectedError as error:
            missing.append(f"{request.kind}: {error}")
    return figures, missing


def _data_uri(drawn: DrawnFigure) -> str:
    content, kind = drawn.rendered("svg"), "svg+xml"
    if len(content) > _LARGEST_SVG:
        content, kind = drawn.rendered("png"), "png"
    # A picture and not inline SVG: matplotlib's ids are unique within a figure only.
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
