"""What a person sees when a sweep ends: the table of its settings, the default figures and where they are."""

import math
from pathlib import Path

import pandas as pd
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rnn_mnist.analysis.plots.default_figures import default_figures
from rnn_mnist.analysis.plots.figures import DEFAULT_FORMATS, Sweep, draw, save
from rnn_mnist.analysis.reading.factors import find_factors
from rnn_mnist.analysis.reading.levels import format_level, short_name
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.statistics.summary import summary_table, write_summary
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
        console.print(settings_table(runs))
        sweep = Sweep(runs)
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


def settings_table(runs: pd.DataFrame) -> Table:
    """One row a setting: its factors, runs, test accuracy with its 95 % interval, parameters and seconds."""
    factors = find_factors(runs)
    summary = summary_table(runs)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for key in factors:
        table.add_column(escape(short_name(key, factors)), overflow="fold")
    for heading in ("runs", "test accuracy", "95 % interval", "parameters", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in summary.head(MOST_ROWS).to_dict("records"):
        failed = f" ({row['failed']} failed)" if row["failed"] else ""
        table.add_row(
            *(escape(format_level(row[key])) for key in factors),
            f"{row['n']}{failed}",
            _per_cent(row["mean"]),
            f"{100 * row['low']:.2f}–{100 * row['high']:.2f}" if row["low"] == row["low"] else "–",
            _whole(row["parameters"]),
            f"{row['train_seconds']:.1f}" if row["train_seconds"] == row["train_seconds"] else "–",
        )
    if len(summary) > MOST_ROWS:
        table.caption = f"{MOST_ROWS} of {len(summary)} settings; all are in summary.csv"
    return table


def _per_cent(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.2f} %"


def _whole(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:,.0f}"
