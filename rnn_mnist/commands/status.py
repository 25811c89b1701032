"""How sweeps stand: how many of the planned runs are done, failed, running, or not started.

rnn-mnist status outputs/depth
"""

import argparse
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.run import read_json

_ORDER = ("completed", "failed", "interrupted", "pruned", "running", "not started")


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="rnn-mnist status", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sweeps", nargs="+", type=Path, metavar="SWEEP", help="directory of a sweep")
    for sweep in parser.parse_args(arguments).sweeps:
        states = Counter(planned_states(sweep).values())
        counts = [f"{states[state]} {state}" for state in _ORDER if state in states]
        print(f"{sweep}: {states.total()} planned: {', '.join(counts)}")
        if states["failed"]:
            print(f"  causes: rnn-mnist runs {sweep} --failed")
        command = read_json(sweep / "sweep.json").get("command")
        if command and (states["interrupted"] or states["not started"]):
            print(f"  to carry on: {shlex.join(command)}")


def planned_states(sweep: Path) -> dict[str, str]:
    """The directory of each run that a sweep planned, or that is there, and the run's state.

    Raises:
        ExpectedError: if there is no sweep.
    """
    planned = [job["directory"] for job in read_json(sweep / "sweep.json").get("jobs", {}).values()]
    there = [path.parent.relative_to(sweep).as_posix() for path in sorted(sweep.glob("*/status.json"))]
    if not planned and not there:
        raise ExpectedError(f"{sweep}: no sweep here: neither a sweep.json nor runs")
    at_work = _at_work(sweep)
    states = {}
    for directory in dict.fromkeys([*planned, *there]):
        state = read_json(sweep / directory / "status.json").get("state", "not started")
        # A kill of the whole sweep leaves nobody to write that its runs have ended.
        states[directory] = "interrupted" if state == "running" and not at_work else state
    return states


def _at_work(sweep: Path) -> bool:
    """Whether a command holds the sweep."""
    path = sweep / ".lock"
    if not path.exists():
        return False
    try:
        with FileLock(path).acquire(timeout=0):
            return False
    except Timeout:
        return True
