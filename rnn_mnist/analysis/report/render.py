"""The report of one or several sweeps, as one HTML file that needs nothing else."""

import base64
import hashlib
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from rnn_mnist.analysis.plots.default_figures import default_figures
from rnn_mnist.analysis.plots.figure_kind import DEFAULT_METRIC, Sweep
from rnn_mnist.analysis.plots.figures import DrawnFigure, draw
from rnn_mnist.analysis.reading.outcomes import states_of
from rnn_mnist.analysis.reading.results import Runs, completed
from rnn_mnist.analysis.report import interactive, run_provenance, tables
from rnn_mnist.analysis.report.embedding import embedded
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.looks import looked_before
from rnn_mnist.runs.record import State
from rnn_mnist.tables import Table

_MOST_ROWS = 500
_ROWS_ON_PAPER = 12  # as report.css has it


@dataclass(frozen=True)
class ShownTable:
    """A table of the page, and how many rows it would have had more."""

    table: Table
    left_out: int


def render_report(loaded: Runs) -> str:
    """The whole HTML.

    Raises:
        ResultsError: if no run is completed.
    """
    runs = loaded.frame
    completed(runs)
    sweep = Sweep(runs, anytime=looked_before(loaded.records))
    figures, missing = _figures(sweep)
    all_completed = bool((runs["status"] == State.completed).all())
    environment = Environment(
        loader=PackageLoader("rnn_mnist.analysis.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    script = files("rnn_mnist.analysis.report").joinpath("report.js").read_text(encoding="utf-8")
    page: str = environment.get_template("report.html.j2").render(
        title=", ".join(dict.fromkeys(runs["sweep"])),
        questions=list(dict.fromkeys(runs["question"].dropna())),
        answer=sweep.answer(DEFAULT_METRIC) if sweep.factors else None,
        provenance=run_provenance.collect(loaded.records),
        states=states_of(runs),
        settings=int(runs["setting_id"].nunique()),
        factors=sweep.factors,
        effects=_shown(_effects(sweep)) if sweep.factors else None,
        summary=_shown(tables.settings_table(runs, sweep.factors)),
        unsuccessful=None if all_completed else _shown(tables.unsuccessful_table(runs, sweep.factors)),
        problems=[*loaded.problems, *loaded.duplicates],
        figures=figures,
        missing=missing,
        rows_on_paper=_ROWS_ON_PAPER,
        run_data=interactive.run_data(runs, sweep.factors),
        script=script,
        script_hash=f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}",
    )
    return page


def write_report(runs: Runs, path: Path) -> None:
    """Write the report, and the folders above it.

    Raises:
        ResultsError: if no run is completed.
    """
    page = render_report(runs)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8", newline="\n")


def _effects(sweep: Sweep) -> Table:
    return tables.effects_table(sweep.effects(DEFAULT_METRIC)).led_by("verdict")


def _shown(table: Table) -> ShownTable:
    return ShownTable(replace(table, rows=table.rows[:_MOST_ROWS]), max(len(table.rows) - _MOST_ROWS, 0))


def _figures(sweep: Sweep) -> tuple[list[tuple[DrawnFigure, str]], list[str]]:
    """The figures that suit, each with its data URI, and why others are missing."""
    drawn, missing = [], []
    for request in default_figures(sweep):
        try:
            drawn.append(draw(sweep, request))
        except ExpectedError as error:
            missing.append(f"{request.kind}: {error}")
    return list(zip(drawn, embedded(drawn), strict=True)), missing
