"""Where the runs are, and what to say where there is none."""

from pathlib import Path

from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.record import find_runs, folders, is_run
from rnn_mnist.runs.sweep import is_sweep


class ResultsError(ExpectedError):
    """There is nothing to analyse where one looked; the message names the place and what is there instead."""


def sweeps_in(directory: Path) -> list[Path]:
    """The folders in which to look for the runs of ``directory``: its sweeps, or itself.

    Raises:
        ResultsError: if there is no run in it.
    """
    if not directory.is_dir() or next(find_runs(directory), None) is None:
        raise ResultsError(_what_is_there_instead(directory))
    if is_run(directory) or is_sweep(directory):
        return [directory]
    children = folders(directory)
    return children if any(is_sweep(child) for child in children) else [directory]


def _what_is_there_instead(directory: Path) -> str:
    if directory.is_file():
        return f"{directory}: a file; give the directory of a sweep or a run"
    if directory.is_dir():
        names = sorted(entry.name for entry in directory.iterdir())
        return f"{directory}: no run in it; there is {_shorten(names) or 'nothing'}"
    parent = directory.absolute().parent
    while not parent.is_dir():
        parent = parent.parent
    names = sorted(entry.name for entry in parent.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    return f"{directory}: no such directory; in {parent} there is {_shorten(names) or 'nothing'}"


def _shorten(names: list[str], longest: int = 8) -> str:
    more = f" and {len(names) - longest} more" if len(names) > longest else ""
    return ", ".join(names[:longest]) + more
