"""Where the runs are: which directories hold one, and what to say where there is none."""

import os
from collections.abc import Iterator
from pathlib import Path

from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.run import RunFormatError, read_json


class ResultsError(ExpectedError):
    """There is nothing to analyse where one looked; the message names the place and what is there instead."""


def run_directories(directory: Path, problems: list[str]) -> Iterator[Path]:
    """The runs in ``directory``: itself, its children, or theirs; what has no manifest becomes a line of ``problems``.

    Raises:
        ResultsError: if there is none.
    """
    if not directory.is_dir():
        raise ResultsError(_what_is_there_instead(directory))
    if _is_run(directory):
        yield directory
        return
    found = False
    for child in _folders(directory):
        deeper = [child] if _is_run(child) else [run for run in _folders(child) if _is_run(run)]
        for run in deeper:
            found = True
            if (run / "manifest.json").exists():
                yield run
            else:
                problems.append(died_before_its_manifest(run))
    if not found:
        raise ResultsError(_what_is_there_instead(directory))


def _is_run(directory: Path) -> bool:
    return (directory / "manifest.json").exists() or (directory / "status.json").exists()


def _folders(directory: Path) -> list[Path]:
    with os.scandir(directory) as entries:
        names = sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    return [directory / name for name in names]


def died_before_its_manifest(run: Path) -> str:
    """A line for a job that a launcher recorded and that never came to write what it was."""
    try:
        status = read_json(run / "status.json")
    except (RunFormatError, AttributeError) as error:
        return f"{run}: no manifest.json, and {error}"
    reason = status.get("error") or "no error recorded"
    return f"{run}: {status.get('state', 'unknown')} before it wrote manifest.json: {reason}"


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
