"""What varied and changed nothing: cells of a grid that coincide, and factors that leave every prediction as it was.

Neither is a replicate. Counted as one, two copies of a run would halve the apparent noise, and in a variance share a
factor that does nothing would take its part.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.factors import find_factors, levels_of
from rnn_mnist.analysis.reading.levels import plain
from rnn_mnist.catalogues.keys import Role
from rnn_mnist.configuration.change import Change
from rnn_mnist.configuration.schema import declared
from rnn_mnist.runs.files import RunFormatError, load_predictions
from rnn_mnist.runs.record import State


def inert_runs(runs: pd.DataFrame, asked: Sequence[str] = ()) -> "dict[str, pd.Series[bool]]":
    """The factors that have no effect in some but not all of these runs, each with which runs these are.

    ``asked``: replicate keys that are factors here.
    """
    inert_keys = runs["changes"].map(lambda changes: {change.key for change in changes if _whole_key_is_inert(change)})
    found = {}
    for factor in find_factors(runs, asked):
        inert = inert_keys.map(lambda keys, factor=factor: factor in keys).astype(bool)
        if inert.any() and not inert.all():
            found[factor] = inert
    return found


def changes_of(runs: pd.DataFrame, factor: str) -> list[Change]:
    """How others decide a factor in these runs, each way once, whatever was asked for."""
    changes = [change for of_run in runs["changes"] for change in of_run if change.key == factor]
    return list({(change.causes(), change.reason): change for change in changes}.values())


def active_runs(runs: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The runs in which every factor can act, and a line for each reason that took others out."""
    notes = []
    for factor, inert in inert_runs(runs).items():
        inert = inert.loc[runs.index]
        notes += [
            f"{factor} has no effect with {change.causes()} ({change.reason}): those runs are left out"
            for change in changes_of(runs[inert], factor)
        ]
        runs = runs[~inert]
    return runs, notes


def with_inert_cells(runs: pd.DataFrame, asked: Sequence[str] = ()) -> pd.DataFrame:
    """The runs, and a copy of a run for every cell of the grid that coincides with it, marked in the column ``inert``.

    A grid of ``model.num_layers=1,2`` and ``model.dropout=0,0.5`` trains its two cells with one layer once. With the
    copies, two layers with dropout 0.5 have the one layer that they are to be compared with.
    """
    copies = [runs.assign(inert=False)]
    for factor, which in inert_runs(runs, asked).items():
        inert = runs[which]
        # A momentum of 0 has an effect of its own: there is none for one cycle to move.
        deciding = {
            change.because[factor]
            for changes in runs["changes"]
            for change in changes
            if change.key != factor and factor in change.because
        }
        there = deciding.union(inert[factor].map(plain))
        copies += [
            inert.assign(**{factor: level}, inert=True) for level in levels_of(runs, factor) if level not in there
        ]
    return pd.concat(copies, ignore_index=True) if len(copies) > 1 else copies[0]


def no_op_factors(runs: pd.DataFrame) -> list[str]:
    """The factors (``model.batch_first``) whose levels all gave, seed by seed, the same predictions, byte for byte.

    Every completed run must have a partner that differs from it in the factor alone, and no pair may differ.
    """
    finished = runs[runs["status"] == State.completed]
    if finished.empty:
        return []
    factors = find_factors(finished)
    digests = PredictionBytes()
    return [factor for factor in factors if _changes_nothing(finished, factor, factors, digests)]


def independent_runs(runs: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The runs without the copies that factors without effect make: one level of each such factor, and who they are."""
    copying = no_op_factors(runs)
    for factor in copying:
        level = levels_of(runs, factor)[0]
        runs = runs[runs[factor].map(plain) == level]
    return runs, copying


class PredictionBytes:
    """The predictions of runs as bytes, each file read once."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._known: dict[str, bytes | None] = {}

    def same(self, first: str, second: str) -> bool:
        """Whether both directories hold the same predictions; False where one has none."""
        one, other = self._read(first), self._read(second)
        return one is not None and one == other

    def _read(self, directory: str) -> bytes | None:
        if directory not in self._known:
            try:
                self._known[directory] = load_predictions(directory).tobytes()
            except RunFormatError:
                self._known[directory] = None
        return self._known[directory]


def _changes_nothing(runs: pd.DataFrame, factor: str, factors: list[str], predictions: PredictionBytes) -> bool:
    others = [other for other in factors if other != factor]
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows_of(runs[[*factors, "seed", "directory", "test_accuracy"]]):
        groups.setdefault((row["seed"], *(plain(row[other]) for other in others)), []).append(row)
    # The accuracies are at hand and rule nearly all out; only what they leave is read.
    if any(len(group) < 2 or len({row["test_accuracy"] for row in group}) > 1 for group in groups.values()):
        return False
    return all(
        predictions.same(group[0]["directory"], row["directory"]) for group in groups.values() for row in group[1:]
    )


def _whole_key_is_inert(change: Change) -> bool:
    """Whether no value of the key has an effect, and by what others are rather than by a key that is there for it.

    A parameter budget decides the hidden size by its purpose: that is then another name of the budget.
    """
    deciders = (declared(key) for key in change.because)
    return change.key not in change.because and not any(
        decider is not None and decider.declared.role == Role.resolved for decider in deciders
    )
