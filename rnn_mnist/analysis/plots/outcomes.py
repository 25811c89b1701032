"""How the runs behind a mark of a figure ended: with a result, by divergence, or without any outcome."""

from dataclasses import dataclass

import pandas as pd

from rnn_mnist.runs.record import State


@dataclass(frozen=True)
class Outcomes:
    """Numbers of runs.

    Attributes:
        completed: with a result.
        diverged: ended because their loss was no longer finite, which is an outcome of their configuration.
        missing: without an outcome (killed, out of time or memory, broken, not finished), which says nothing of it.
    """

    completed: int
    diverged: int
    missing: int

    @property
    def ended(self) -> int:
        """Those that have an outcome."""
        return self.completed + self.diverged

    @property
    def diverged_text(self) -> str:
        """``2 of 5 diverge``; empty where none does."""
        return diverge_text(self.diverged, self.ended)


def outcomes(runs: pd.DataFrame) -> Outcomes:
    """How these runs ended."""
    diverged = diverged_runs(runs)
    completed = int((runs["status"] == State.completed).sum())
    return Outcomes(completed, int(diverged.sum()), len(runs) - completed - int(diverged.sum()))


def diverged_runs(runs: pd.DataFrame) -> "pd.Series[bool]":
    """Which runs have diverged; a table that does not say it counts every failure as that."""
    if "diverged" not in runs.columns:
        return runs["status"] == State.failed
    return runs["diverged"].map(lambda value: value is True or value == 1).astype(bool)


def diverge_text(diverged: int, ended: int) -> str:
    """``2 of 5 diverge``; empty where none does."""
    return f"{diverged} of {ended} diverge{'s' if ended == 1 else ''}" if diverged else ""


def missing_text(count: int) -> str:
    """What a footer says of runs without an outcome; empty where there is none."""
    return f"{count} run{'' if count == 1 else 's'} missing (no outcome)" if count else ""
