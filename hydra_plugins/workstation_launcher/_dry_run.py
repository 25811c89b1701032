"""What ``dry_run=true`` prints: the jobs, which of them are done, and what the others would take."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hydra_plugins.workstation_launcher._devices import Plan
from hydra_plugins.workstation_launcher._display import duration
from hydra_plugins.workstation_launcher._forecast import Forecast
from hydra_plugins.workstation_launcher._output import console as default_console
from hydra_plugins.workstation_launcher._output import printable
from hydra_plugins.workstation_launcher._patience import Patience
from hydra_plugins.workstation_launcher._sweep import Job, common_overrides

_HEADINGS = ("#", "state", "time", "overrides", "directory")
_MOST_FOLDED = 1_000
"""Rows that are folded by Rich, which takes a millisecond for each; the terminal folds longer tables."""


def show_dry_run(jobs: Sequence[Job], plan: Plan, forecast: Forecast, directory: Path) -> None:
    """Print the table of jobs and the time that those to do will take.

    Where a row does not fit into a line of the terminal, the job's directory has a line of its own below it. What is
    written to a file or a pipe is never folded.
    """
    console = default_console()
    if not console.is_terminal:
        console = Console(file=console.file, width=1_000_000)
    _print(console, f"Jobs of {directory} (dry run: nothing is started)")
    shared = common_overrides(jobs) if len(jobs) > 1 else []
    if shared:
        _print(console, f"all with {' '.join(shared)}")
    rows = list(_rows(jobs, forecast))
    widths = [max(map(cell_len, column)) for column in zip(_HEADINGS, *rows, strict=True)]
    fits = sum(widths) + 2 * (len(widths) - 1) <= console.width
    if fits or len(rows) > _MOST_FOLDED:
        console.out(_line(_HEADINGS, widths), style="bold", highlight=False)
        console.out("\n".join(_line(row, widths) for row in rows), highlight=False)
    else:
        console.print(_folded(rows))
    waiting = forecast.longest_first([job for job in jobs if job.is_to_run])
    seconds = forecast.until_done(waiting)
    estimate = "no estimate of the time" if seconds is None else f"about {duration(seconds)}"
    _print(console, f"{len(waiting)} of {len(jobs)} jobs to do, {plan.describe()}; {estimate}")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """A row of cells; Rich would take a millisecond for it."""
    first, *others = (" " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True))
    return "  ".join([f"{first}{cells[0]}", *map("".join, zip(cells[1:], others, strict=True))]).rstrip()


def _folded(rows: Sequence[Sequence[str]]) -> Table:
    """For a terminal in which a row does not fit into a line."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in _HEADINGS[:-1]:
        table.add_column(heading, overflow="fold", justify="right" if heading == "#" else "left")
    for *cells, place in rows:
        table.add_row(*map(Text, (*cells[:-1], f"{cells[-1]}\n{place}")))
    return table


def _print(console: Console, line: str) -> None:
    console.print(line, soft_wrap=True, highlight=False, markup=False)


def _rows(jobs: Sequence[Job], forecast: Forecast) -> Iterator[tuple[str, ...]]:
    patience = Patience()
    for job in jobs:
        patience.told("looked at %d of %d jobs", job.number, len(jobs))
        state, seconds = "to do", None
        if job.twin is not None:
            state = f"same as #{job.twin.number}"
        elif job.skipped and job.status is not None:
            state, seconds = str(job.status.state), job.status.seconds
        elif job.taken_from is not None:
            state = f"taken from {job.taken_from}"
        else:
            seconds = forecast.seconds(job)
            if job.earlier is not None:
                state = f"again, was {job.earlier.state}"
        about = "" if seconds is None else f"{'about ' if job.is_to_run else ''}{duration(seconds)}"
        yield str(job.number), state, about, printable(job.label), job.directory.name
