"""What a person sees when a sweep ends: its table of settings, the answer, where its figures are, what to type next."""

import logging
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from rich.console import Console

from rnn_mnist.analysis.plots.default_figures import default_figures
from rnn_mnist.analysis.plots.figure_kind import DEFAULT_METRIC, Request, Sweep
from rnn_mnist.analysis.plots.figures import DEFAULT_FORMATS, draw, save
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.report.answer_text import missing_runs, print_answer
from rnn_mnist.analysis.report.tables import settings_table
from rnn_mnist.analysis.statistics.summary import group_by_levels, write_summary
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.looks import looked_before, plan_of

MOST_ROWS = 60
"""Settings that are all shown; of more the best are."""
BEST_ROWS = 20


def present(sweep_directory: Path, console: Console | None = None) -> None:
    """Bring ``results.csv`` and ``summary.csv`` up to date, print table and answer, then draw the default figures.

    An unfinished sweep is shown as far as it has come. What cannot be done is said in a line and harms nothing: the
    runs are what matters, and they are on disk.
    """
    console = console or Console(soft_wrap=True)
    # It says so when it first looks for fonts.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.WARNING)
    try:
        loaded = load_runs(sweep_directory)
        runs = loaded.frame
        write_summary(runs, sweep_directory)
        plan = plan_of(loaded.records)
        sweep = Sweep(runs, anytime=looked_before(loaded.records))
        requests = default_figures(sweep)
    except (ExpectedError, OSError) as error:
        console.print(str(error), markup=False, highlight=False)
        return
    table = settings_table(runs, sweep.factors)
    if len(table.rows) <= MOST_ROWS:
        console.print(table.terminal(console.width), soft_wrap=False)
    else:
        chooser = "val_accuracy" if runs["val_accuracy"].notna().any() else DEFAULT_METRIC
        means = [group[chooser].mean() for _, group in group_by_levels(runs, sweep.factors)]
        best = pd.Series(means).sort_values(ascending=False, kind="stable").index[:BEST_ROWS]
        console.print(replace(table, rows=tuple(table.rows[i] for i in best)).terminal(console.width), soft_wrap=False)
        by = "validate" if chooser == "val_accuracy" else "test"
        console.print(
            f"the {BEST_ROWS} that {by} best, of {len(table.rows)} settings; all are in summary.csv", highlight=False
        )
    if sweep.factors:
        for line in missing_runs(runs):
            console.print(line, markup=False, highlight=False)
        answer = sweep.answer(DEFAULT_METRIC)
        if plan is not None:  # its own sentences follow
            answer = replace(answer, sentences=answer.sentences[-1:] if answer.best else ())
        print_answer(answer, console)
    # Who waits for the answer has it: figures take a second or two.
    _draw(sweep, requests, sweep_directory / "figures", console)
    place = shlex.quote(str(sweep_directory))
    commands = ["compare", "report"] if sweep.factors else ["report"]
    for command in commands:
        console.print(f"rnn-mnist {command} {place}", markup=False, highlight=False, soft_wrap=True)


def _draw(sweep: Sweep, requests: Sequence[Request], folder: Path, console: Console) -> None:
    paths: list[Path] = []
    for request in requests:
        try:
            paths += save(draw(sweep, request), folder, DEFAULT_FORMATS)
        except (ExpectedError, OSError) as error:
            console.print(f"no {request.kind} figure: {error}", markup=False, highlight=False)
    if paths:
        figures = len({path.stem for path in paths})
        console.print(
            f"{figures} figures ({', '.join(DEFAULT_FORMATS)}) in {folder}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
