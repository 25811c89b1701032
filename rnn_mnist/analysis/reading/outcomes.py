"""How runs ended: with a result, by divergence (which is an outcome too), pruned, or without any outcome."""

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
        pruned: ended early by a search. They are censored: what they would have come to is not known, though it is no
            accident that it is not; they are counted and named, and are neither results nor failures.
    """

    completed: int
    diverged: int
    missing: int
    pruned: int = 0

    @property
    def ended(self) -> int:
        """Those that have an outcome."""
        return self.completed + self.diverged

    @property
    def text(self) -> str:
        """``4 (1 diverged)``."""
        lost = [f"{self.diverged} diverged"] if self.diverged else []
        lost += [f"{self.pruned} pruned"] if self.pruned else []
        lost += [f"{self.missing} missing"] if self.missing else []
        return f"{self.completed} ({', '.join(lost)})" if lost else f"{self.completed}"

    @property
    def diverged_text(self) -> str:
        """``2 of 5 diverge``; empty where none does."""
        return diverge_text(self.diverged, self.ended)


def outcomes(runs: pd.DataFrame) -> Outcomes:
    """How these runs ended."""
    diverged = int(diverged_runs(runs).sum())
    completed, pruned = (int((runs["status"] == state).sum()) for state in (State.completed, State.pruned))
    return Outcomes(completed, diverged, len(runs) - completed - diverged - pruned, pruned)


def diverged_runs(runs: pd.DataFrame) -> "pd.Series[bool]":
    """Which runs have diverged; a table that does not say it counts every failure as that."""
    if "diverged" not in runs.columns:
        return runs["status"] == State.failed
    return runs["diverged"].map(lambda value: value is True or value == 1).astype(bool)


def states_of(runs: pd.DataFrame) -> dict[str, int]:
    """How many runs are in each state, those that have diverged apart from those that failed otherwise."""
    states = runs["status"].map(str).where(~diverged_runs(runs), "diverged")
    return {str(state): int(count) for state, count in states.value_counts().items()}


def diverge_text(diverged: int, ended: int) -> str:
    """``2 of 5 diverge``; empty where none does."""
    return f"{diverged} of {ended} diverge{'s' if ended == 1 else ''}" if diverged else ""


def missing_text(count: int) -> str:
    """What a footer says of runs without an outcome; empty where there is none."""
    return f"{count} run{'' if count == 1 else 's'} missing (no outcome)" if count else ""
