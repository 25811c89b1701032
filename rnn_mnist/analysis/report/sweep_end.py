"""What a person sees when a sweep ends: the table of its settings, the default figures and where they are."""

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from rnn_mnist.analysis.plots.default_figures import default_figures
from rnn_mnist.analysis.plots.figure_kind import Sweep
from rnn_mnist.analysis.plots.figures import DEFAULT_FORMATS, draw, save
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.report.tables import settings_table
from rnn_mnist.analysis.statistics.summary import write_summary
from rnn_mnist.errors import ExpectedError

MOST_ROWS = 60


def present(sweep_directory: Path, console: Console | None = None) -> None:
    """Bring ``results.csv`` and ``summary.csv`` up to date, print one row a setting, and draw the default figures.

    An unfinished sweep is shown as far as it has come. What cannot be done is said in a line and harms nothing: the
    runs are what matters, and they are on disk.
    """
    console = console or Console(soft_wrap=True)
    try:
        runs = load_runs(sweep_directory).frame
        write_summary(runs, sweep_directory)
        sweep = Sweep(runs)
        table = settings_table(runs, sweep.factors)
        console.print(replace(table, rows=table.rows[:MOST_ROWS]).terminal(console.width), soft_wrap=False)
        if len(table.rows) > MOST_ROWS:
            console.print(f"{MOST_ROWS} of {len(table.rows)} settings; all are in summary.csv", highlight=False)
        requests = default_figures(sweep)
    except (ExpectedError, OSError) as error:
        console.print(str(error), markup=False, highlight=False)
        return
    paths: list[Path] = []
    for request in requests:
        try:
            paths += save(draw(sweep, request), sweep_directory / "figures", DEFAULT_FORMATS)
        except (ExpectedError, OSError) as error:
            console.print(f"no {request.kind} figure: {error}", markup=False, highlight=False)
    for path in paths:
        console.print(str(path), markup=False, highlight=False)
