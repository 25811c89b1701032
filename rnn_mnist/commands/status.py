"""How sweeps stand: how many of the planned runs are done, failed, running, or not started.

rnn-mnist status outputs/depth
"""

import argparse
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.files import read_json
from rnn_mnist.runs.record import State, find_runs, is_run, read_run

_NOT_STARTED = "not started"


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="rnn-mnist status", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sweeps", nargs="+", type=Path, metavar="SWEEP", help="directory of a sweep")
    for sweep in parser.parse_args(arguments).sweeps:
        states = Counter(planned_states(sweep).values())
        counts = [f"{states[state]} {state or _NOT_STARTED}" for state in (*State, None) if state in states]
        print(f"{sweep}: {states.total()} planned: {', '.join(counts)}")
        if states[State.failed]:
            print(f"  causes: rnn-mnist runs {sweep} --failed")
        command = read_json(sweep / "sweep.json").get("command")
        if command and (states[State.interrupted] or states[None]):
            print(f"  to carry on: {shlex.join(command)}")


def planned_states(sweep: Path) -> dict[str, State | None]:
    """The directory of each run that a sweep planned, or that is there, and the run's state; None: not started.

    Raises:
        ExpectedError: if there is no sweep.
    """
    planned = [sweep / job["directory"] for job in read_json(sweep / "sweep.json").get("jobs", {}).values()]
    there = list(find_runs(sweep)) if sweep.is_dir() else []
    if not planned and not there:
        raise ExpectedError(f"{sweep}: no sweep here: neither a sweep.json nor runs")
    return {run.name: read_run(run).state if is_run(run) else None for run in dict.fromkeys([*planned, *there])}
