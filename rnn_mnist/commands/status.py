"""How sweeps stand: how many of the planned runs are done, failed, running, or not started.

rnn-mnist status outputs/depth
"""

import argparse
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hydra_plugins.workstation_launcher import live_jobs, process_is_gone
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.files import read_json
from rnn_mnist.runs.record import State, find_runs, is_run, read_run
from rnn_mnist.runs.sweep import planned_runs

_NOT_STARTED = "not started"
_MOST_SHOWN = 10


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="rnn-mnist status", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sweeps", nargs="+", type=Path, metavar="SWEEP", help="directory of a sweep")
    for sweep in parser.parse_args(arguments).sweeps:
        by_run = planned_states(sweep)
        states = Counter(by_run.values())
        counts = [f"{states[state]} {state or _NOT_STARTED}" for state in (*State, None) if state in states]
        print(f"{sweep}: {states.total()} planned: {', '.join(counts)}")
        if states[State.failed]:
            print(f"  causes: rnn-mnist runs {sweep} --failed")
        there = list(_at_places(sweep, by_run))
        for line in there:
            print(f"  {line}")
        command = read_json(sweep / "sweep.json").get("command")
        if command and (there or states[State.interrupted] or states[None]):
            print(f"  to {'attach' if there else 'carry on'}: {shlex.join(command)}")


def planned_states(sweep: Path) -> dict[str, State | None]:
    """The directory of each run that a sweep planned, or that is there, and the run's state; None: not started.

    Raises:
        ExpectedError: if there is no sweep.
    """
    planned = planned_runs(sweep)
    there = list(find_runs(sweep)) if sweep.is_dir() else []
    if not planned and not there:
        raise ExpectedError(f"{sweep}: no sweep here: neither a sweep.json nor runs")
    return {run.name: read_run(run).state if is_run(run) else None for run in dict.fromkeys([*planned, *there])}


def _at_places(sweep: Path, states: Mapping[str, State | None]) -> Iterator[str]:
    """Where runs wait or are made whose command need not be there any more."""
    owner = read_json(sweep / "sweep.json")
    if owner.get("background") and not process_is_gone(owner):
        yield f"in the background: process {owner['pid']} on {owner['host']}, which kill -INT stops"
    names: dict[str, list[str]] = {}
    for run, state in states.items():
        if state in (State.queued, State.running, State.interrupted):
            status = read_json(sweep / run / "status.json")
            if status.get("place") and status.get("place_job"):
                names.setdefault(status["place"], []).append(status["place_job"].removeprefix(f"{status['place']} "))
    for place, jobs in names.items():
        live = live_jobs(place)
        if live is None:
            yield f"at {place}, which cannot be asked from here: {_shown(jobs)}"
        elif held := [job for job in jobs if job in live]:
            yield f"in the queue of {place}: {_shown(held)}"


def _shown(jobs: Sequence[str]) -> str:
    return " ".join(jobs[:_MOST_SHOWN]) + (f" and {len(jobs) - _MOST_SHOWN} more" if len(jobs) > _MOST_SHOWN else "")
