"""What varied and changed nothing: cells of a grid that coincide, and factors that leave every prediction as it was.

Neither is a replicate. Counted as one, two copies of a run would halve the apparent noise, and in a variance share a
factor that does nothing would take its part.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnn_mnist.analysis.reading.factors import find_factors, levels_of
from rnn_mnist.analysis.reading.levels import format_level, plain
from rnn_mnist.runs.files import RunFormatError, load_predictions


@dataclass(frozen=True)
class InertRule:
    """A key that does nothing while another has a certain value; one value is then recorded for all.

    Attributes:
        key: the key without effect.
        condition_key: the key that makes it so.
        condition: the value with which it does.
        reason: why, in words.
    """

    key: str
    condition_key: str
    condition: Any
    reason: str


INERT_RULES = (
    InertRule("model.dropout", "model.num_layers", 1, "dropout acts between layers"),
    InertRule("optimizer.beta1", "schedule.cycle_momentum", True, "one_cycle writes its own beta1"),
    InertRule("optimizer.momentum", "schedule.cycle_momentum", True, "one_cycle writes its own momentum"),
)


def inert_rules(runs: pd.DataFrame) -> list[InertRule]:
    """The rules that touch a factor of these runs: it varies, and is inert in some but not all of them."""
    factors = find_factors(runs)
    found = []
    for rule in INERT_RULES:
        if rule.key in factors and rule.condition_key in runs.columns:
            inert = inert_rows(runs, rule)
            if inert.any() and not inert.all():
                found.append(rule)
    return found


def inert_rows(runs: pd.DataFrame, rule: InertRule) -> "pd.Series[bool]":
    """Which runs have the rule's condition."""
    return runs[rule.condition_key].map(lambda value: plain(value) == rule.condition).astype(bool)


def active_runs(runs: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The runs in which every factor can act, and a line for each rule that took others out."""
    notes = []
    for rule in inert_rules(runs):
        runs = runs[~inert_rows(runs, rule)]
        notes.append(
            f"{rule.key} has no effect with {rule.condition_key}={format_level(rule.condition)} ({rule.reason}): "
            "those runs are left out"
        )
    return runs, notes


def with_inert_cells(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs, and a copy of a run for every cell of the grid that coincides with it, marked in the column ``inert``.

    A grid of ``model.num_layers=1,2`` and ``model.dropout=0,0.5`` trains its two cells with one layer once. With the
    copies, two layers with dropout 0.5 have the one layer that they are to be compared with.
    """
    copies = [runs.assign(inert=False)]
    for rule in inert_rules(runs):
        inert = runs[inert_rows(runs, rule)]
        recorded = set(inert[rule.key].map(plain))
        copies += [
            inert.assign(**{rule.key: level}, inert=True)
            for level in levels_of(runs, rule.key)
            if level not in recorded
        ]
    return pd.concat(copies, ignore_index=True) if len(copies) > 1 else copies[0]


def no_op_factors(runs: pd.DataFrame) -> list[str]:
    """The factors (``model.batch_first``) whose levels all gave, seed by seed, the same predictions, byte for byte.

    Every completed run must have a partner that differs from it in the factor alone, and no pair may differ.
    """
    finished = runs[runs["status"] == "completed"]
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
    for row in runs[[*factors, "seed", "directory", "test_accuracy"]].to_dict("records"):
        groups.setdefault((row["seed"], *(plain(row[other]) for other in others)), []).append(row)
    # The accuracies are at hand and rule nearly all out; only what they leave is read.
    if any(len(group) < 2 or len({row["test_accuracy"] for row in group}) > 1 for group in groups.values()):
        return False
    return all(
        predictions.same(group[0]["directory"], row["directory"]) for group in groups.values() for row in group[1:]
    )
