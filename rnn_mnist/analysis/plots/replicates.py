"""The replicates behind a point of a figure: one value a seed, whatever else varies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnn_mnist.analysis.reading.levels import plain
from rnn_mnist.analysis.statistics.by_seed import FEWEST_TO_SPEAK
from rnn_mnist.analysis.statistics.inert import inert_runs, with_inert_cells
from rnn_mnist.analysis.statistics.summary import interval
from rnn_mnist.runs.record import State

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Replicates:
    """The values of one point of a figure.

    Attributes:
        values: one a seed, as in the table (accuracies are fractions).
        mean, low, high: of the values, with the 95 % t interval; None for fewer than 3 values, or where the values are
            no replicates of one another.
        failed: runs without a value because they failed.
    """

    values: tuple[float, ...]
    mean: float | None
    low: float | None
    high: float | None
    failed: int

    @property
    def n(self) -> int:
        """The number of values."""
        return len(self.values)


def replicates(rows: pd.DataFrame, metric: str, *, comparable: bool = True) -> Replicates:
    """The runs of one setting; ``comparable=False`` claims no mean and no interval for them."""
    values = rows.loc[rows["status"] == State.completed, metric].dropna().to_numpy(float)
    mean = low = high = None
    if comparable and len(values) >= FEWEST_TO_SPEAK:
        mean = float(values.mean())
        low, high = interval(values, CONFIDENCE)
    failed = int((rows["status"] == State.failed).sum())
    return Replicates(tuple(float(value) for value in values), mean, low, high, failed)


def averaged_over(
    runs: pd.DataFrame, shown: Sequence[str], others: Sequence[str], metric: str
) -> tuple[pd.DataFrame, bool]:
    """One row for every combination of the ``shown`` factors and the seed: the mean over all levels of the ``others``.

    Without this, the spread of a point would hold the effects of the other factors, and its interval mean nothing.
    Seeds that lack one of the combinations (a run has failed) are left out.

    Returns:
        A table with the columns ``shown``, ``seed``, ``status`` and ``metric``, and True; the runs as they are, and
        False, if some combination of the shown factors was never tried with all levels of the others: then there is no
        fair mean.
    """
    if not others:
        return runs, True
    given = runs
    if not any(factor in shown for factor in inert_runs(runs)):
        # One layer was not trained at every dropout, because dropout does nothing there: it stands for all of them.
        runs = with_inert_cells(runs)
    finished = runs[(runs["status"] == State.completed) & runs[metric].notna()]
    marked = finished.assign(_combination=_levels(finished, others), _shown=_levels(finished, shown))
    needed = set(marked["_combination"])
    rows = []
    for _, cell in marked.groupby("_shown", sort=False):
        whole = [part for _, part in cell.groupby("seed") if set(part["_combination"]) == needed]
        if not whole:
            return given, False
        for part in whole:
            # Several runs of one combination and seed (from two sweeps, say) weigh as one.
            value = part.groupby("_combination")[metric].mean().mean()
            first = {key: part[key].iloc[0] for key in shown}
            rows.append({**first, "seed": part["seed"].iloc[0], "status": State.completed, metric: value})
    runs = runs.drop_duplicates("directory")
    failed = runs.loc[runs["status"] == State.failed, [*shown, "seed", "status", metric]]
    averaged = pd.DataFrame(rows, columns=[*shown, "seed", "status", metric])
    for key in shown:
        averaged[key] = averaged[key].astype(object)
    return pd.concat([averaged, failed.astype(dict.fromkeys(shown, object))], ignore_index=True), True


def _levels(runs: pd.DataFrame, factors: Sequence[str]) -> "pd.Series[Any]":
    """Of each run the levels of the factors, as one tuple."""
    levels = [tuple(map(plain, row)) for row in runs[list(factors)].itertuples(index=False)]
    return pd.Series(levels, index=runs.index, dtype=object)
