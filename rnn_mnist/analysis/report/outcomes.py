"""How the runs of a setting ended: with a result, diverged (which is an outcome too), or without an outcome."""

from dataclasses import dataclass

import pandas as pd

from rnn_mnist.runs.record import State


@dataclass(frozen=True)
class Outcomes:
    """Counts of runs.

    Attributes:
        finished: those that are completed.
        diverged: those whose loss was no longer finite.
        missing: those that were killed, are out of memory, still run; nothing is known of what they would have reached.
    """

    finished: int
    diverged: int
    missing: int

    @classmethod
    def of(cls, runs: pd.DataFrame) -> "Outcomes":
        """Those of a table of runs."""
        finished, diverged = int((runs["status"] == State.completed).sum()), int(has_diverged(runs).sum())
        return cls(finished, diverged, len(runs) - finished - diverged)

    @property
    def text(self) -> str:
        """``4 (1 diverged)``."""
        lost = [f"{self.diverged} diverged"] if self.diverged else []
        lost += [f"{self.missing} missing"] if self.missing else []
        return f"{self.finished} ({', '.join(lost)})" if lost else f"{self.finished}"


def has_diverged(runs: pd.DataFrame) -> pd.Series:
    """For each run whether it ended because its loss was no longer finite."""
    return runs["diverged"].fillna(value=False).astype(bool)


def states_of(runs: pd.DataFrame) -> dict[str, int]:
    """How many runs are in each state, those that have diverged apart from those that failed otherwise."""
    states = runs["status"].map(str).where(~has_diverged(runs), "diverged")
    return {str(state): int(count) for state, count in states.value_counts().items()}
