"""The replicates behind a point of a figure: one value a seed, whatever else varies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnn_mnist.analysis.reading.levels import plain
from rnn_mnist.analysis.reading.outcomes import Outcomes, outcomes
from rnn_mnist.analysis.statistics.by_seed import FEWEST_TO_SPEAK, pseudo_values
from rnn_mnist.analysis.statistics.inert import inert_runs, with_inert_cells
from rnn_mnist.analysis.statistics.layout import replicate_unit
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
        outcomes: how the runs ended.
    """

    values: tuple[float, ...]
    mean: float | None
    low: float | None
    high: float | None
    outcomes: Outcomes

    @property
    def n(self) -> int:
        """The number of values."""
        return len(self.values)

    @property
    def failed(self) -> int:
        """Runs that diverged, and so have no value."""
        return self.outcomes.diverged


@dataclass(frozen=True)
class Averaged:
    """By-seed values of every combination of the factors that a figure shows.

    Attributes:
        values: columns of the shown factors, ``status`` and the metric: a row for each combination and seed.
        runs: those that the values come from, and those beside them that did not complete.
        fair: whether a value is a mean over the same levels of the other factors everywhere. If not, the values are the
            runs as they are, and no mean of them means anything.
        contexts: combinations of the other factors' levels that are averaged over.
        contexts_there: of how many.
    """

    values: pd.DataFrame
    runs: pd.DataFrame
    fair: bool
    contexts: int
    contexts_there: int


def replicates(
    rows: pd.DataFrame, metric: str, *, comparable: bool = True, runs: pd.DataFrame | None = None
) -> Replicates:
    """The replicates of one point.

    Args:
        rows: a row a value, with ``status`` and the metric.
        metric: its column.
        comparable: False claims no mean and no interval.
        runs: the runs behind the rows, where those are means.
    """
    values = rows.loc[rows["status"] == State.completed, metric].dropna().to_numpy(float)
    mean = low = high = None
    if comparable and len(values) >= FEWEST_TO_SPEAK:
        mean = float(values.mean())
        low, high = interval(values, CONFIDENCE)
    ended = outcomes(rows if runs is None else runs)
    return Replicates(tuple(float(value) for value in values), mean, low, high, ended)


def averaged_over(runs: pd.DataFrame, shown: Sequence[str], others: Sequence[str], metric: str) -> Averaged:
    """By-seed means over the levels of the ``others``, for every combination of the ``shown`` factors.

    Without this, the spread of a point would hold the effects of the other factors, and its interval mean nothing.
    Averaged over are the contexts (combinations of the others' levels) in which every shown combination has a result;
    shown combinations without any result are left aside. Where there is no such context there is no fair mean. Each
    context keeps its weight where runs are missing (:func:`rnn_mnist.analysis.statistics.by_seed.pseudo_values`).
    """
    if not others:
        return Averaged(runs, runs, fair=True, contexts=1, contexts_there=1)
    given = runs
    if not any(factor in shown for factor in inert_runs(runs)):
        # One layer was not trained at every dropout, because dropout does nothing there: it stands for all of them.
        runs = with_inert_cells(runs)
    unit, crossing = replicate_unit(runs, [*shown, *others])
    marked = runs.assign(_context=_levels(runs, [*others, *crossing]), _shown=_levels(runs, shown))
    finished = marked[(marked["status"] == State.completed) & marked[metric].notna()]
    by_shown = [set(cell) for _, cell in finished.groupby("_shown", sort=False)["_context"]]
    shared = set.intersection(*by_shown) if by_shown else set()
    everywhere = set(finished["_context"])
    if not shared:
        return Averaged(given, given, fair=False, contexts=0, contexts_there=len(everywhere))
    rows = []
    for _, cell in finished[finished["_context"].isin(shared)].groupby("_shown", sort=False):
        # Several runs of one combination and seed (from two sweeps, say) weigh as one.
        table = cell.pivot_table(index="_context", columns=unit, values=metric, aggfunc="mean")
        first = {key: cell[key].iloc[0] for key in shown}
        values = pseudo_values(table.to_numpy(float)).values
        rows += [{**first, "status": State.completed, metric: value} for value in values]
    averages = pd.DataFrame(rows, columns=[*shown, "status", metric]).astype(dict.fromkeys(shown, object))
    behind = marked[marked["_context"].isin(shared) | (marked["status"] != State.completed)]
    behind = behind.drop_duplicates([*shown, "directory"])
    return Averaged(averages, behind, fair=True, contexts=len(shared), contexts_there=len(everywhere))


def _levels(runs: pd.DataFrame, factors: Sequence[str]) -> "pd.Series[Any]":
    """Of each run the levels of the factors, as one tuple."""
    levels = [tuple(map(plain, row)) for row in runs[list(factors)].itertuples(index=False)]
    return pd.Series(levels, index=runs.index, dtype=object)
