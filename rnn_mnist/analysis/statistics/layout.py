"""The runs of a sweep laid out by the levels of one factor, the contexts of the others and the seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from rnn_mnist.analysis.reading.factors import levels_of, replicate_keys
from rnn_mnist.analysis.reading.levels import plain, typed
from rnn_mnist.configuration.schema import SELECTORS, declared, declared_keys
from rnn_mnist.runs.record import State


@dataclass(frozen=True)
class Layout:
    """Arrays of the runs.

    Attributes:
        factor: whose levels they are laid out by.
        levels: of the factor, in order.
        contexts: the other factors with their levels, as pairs; replicate keys that cross the seed are among them.
        values: the metric ``[level, context, seed]``; NaN where no run has it.
        diverged, ended, missing: number of runs ``[level, context, seed]`` that diverged; that have an outcome,
            divergence included; that have none.
        rows: position of a run in the table ``[level, context, seed]``; -1 where there is none.
        places: number of its directory ``[level, context, seed]``, which cells have in common that one run stands for.
    """

    factor: str
    levels: tuple[Any, ...]
    contexts: tuple[tuple[tuple[str, Any], ...], ...]
    values: np.ndarray
    diverged: np.ndarray
    ended: np.ndarray
    missing: np.ndarray
    rows: np.ndarray
    places: np.ndarray

    @property
    def tried(self) -> np.ndarray:
        """Which contexts of a level were tried ``[level, context]``, with whatever outcome."""
        planned: np.ndarray = (self.ended + self.missing).sum(axis=2) > 0
        return planned

    def same_runs(self, level: int, other: int) -> np.ndarray:
        """In which contexts ``[context]`` two levels are one run, seed by seed: the factor does nothing there."""
        one, two = self.places[level], self.places[other]
        both = (one >= 0) & (two >= 0)
        same: np.ndarray = both.any(axis=1) & ((one == two) | ~both).all(axis=1)
        return same

    def total(self, counts: np.ndarray, level: int, contexts: np.ndarray) -> int:
        """The sum of counts ``[level, context, seed]`` of a level in some contexts; a run of several cells is one."""
        _, first = np.unique(self.places[level][contexts], return_index=True)
        return int(counts[level][contexts].ravel()[first].sum())

    def only(self, contexts: np.ndarray) -> "Layout":
        """The layout in some contexts, which a mask ``[context]`` says."""
        kept = tuple(context for context, keep in zip(self.contexts, contexts, strict=True) if keep)
        arrays = (self.values, self.diverged, self.ended, self.missing, self.rows, self.places)
        return Layout(self.factor, self.levels, kept, *(array[:, contexts] for array in arrays))

    def at(self, key: str) -> dict[Any, "Layout"]:
        """The layout at each level of another factor."""
        levels = [dict(context).get(key) for context in self.contexts]
        return {level: self.only(np.array([other == level for other in levels])) for level in dict.fromkeys(levels)}


def lay_out(runs: pd.DataFrame, factor: str, others: Sequence[str], metric: str) -> Layout:
    """Lay out runs by the levels of ``factor``, the combinations of the ``others``, and the seeds.

    Several runs of one cell and seed count as their mean.
    """
    unit, crossing = replicate_unit(runs, [factor, *others])
    keys = [*others, *crossing]
    levels = levels_of(runs, factor)
    places = {typed(level): place for place, level in enumerate(levels)}
    of_level = np.array([places[typed(plain(value))] for value in runs[factor]], dtype=int)
    combinations = [tuple(map(plain, row)) for row in zip(*(runs[key] for key in keys), strict=True)]
    of_context, contexts = pd.factorize(pd.Series(combinations or [()] * len(runs), dtype=object))
    order = _in_order(runs, keys, contexts)
    of_context = np.argsort(order)[of_context]
    of_seed, seeds = pd.factorize(runs[unit], sort=True)
    shape = (len(levels), len(contexts), len(seeds))
    place = (of_level, of_context, of_seed)

    measured = ((runs["status"] == State.completed) & runs[metric].notna()).to_numpy()
    diverged = runs["diverged"].to_numpy(bool)
    values = np.where(measured, runs[metric].to_numpy(float), 0.0)
    totals, counts, failures, without = (np.zeros(shape) for _ in range(4))
    np.add.at(totals, place, values)
    np.add.at(counts, place, measured)
    np.add.at(failures, place, diverged)
    np.add.at(without, place, ~(measured | diverged))
    rows = np.full(shape, -1)
    rows[place] = np.arange(len(runs))
    places_of_runs, _ = pd.factorize(runs["directory"])
    directories = np.append(places_of_runs, -1)[rows]
    means = np.divide(totals, counts, out=np.full(shape, np.nan), where=counts > 0)
    ordered = tuple(tuple(zip(keys, contexts[i], strict=True)) for i in order)
    return Layout(factor, tuple(levels), ordered, means, failures, counts + failures, without, rows, directories)


def replicate_unit(runs: pd.DataFrame, factors: Sequence[str]) -> tuple[str, list[str]]:
    """The key that counts the replicates, the seed unless another draw has more values; and the draws that cross it.

    Those vary within a replicate, so that they are contexts: runs that share a replicate share noise. Draws that go
    along with it are part of it, and those among the ``factors`` are none.
    """
    keys = [key for key in replicate_keys() if key in runs and key not in factors]
    unit = max(keys, key=lambda key: (runs[key].nunique(), key == "seed"))
    return unit, [key for key in keys if key != unit and (runs.groupby(unit)[key].nunique() > 1).any()]


def with_defaults_where_absent(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs, with the default of each key that their option does not have (``model.proj_size`` of a GRU).

    A GRU beside LSTMs with and without a projection is then compared with those without.
    """
    filled = {}
    for key, selector, options, default in _keys_of_options():
        if key not in runs or not runs[key].isna().any():
            continue
        has_it = runs[selector].isin(options)
        if has_it.any():
            filled[key] = runs[key].astype(object).where(has_it, default)
    return runs.assign(**filled)


@lru_cache(maxsize=1)
def _keys_of_options() -> tuple[tuple[str, str, tuple[str, ...], Any], ...]:
    """Each key that only some options have: its name, what chooses the option, those that have it, and its default."""
    found = []
    for key, by_option in declared_keys().items():
        group = key.partition(".")[0]
        default = next(iter(by_option.values())).default
        if "" not in by_option and group in SELECTORS and isinstance(default, bool | int | float | str):
            found.append((key, f"{group}.{SELECTORS[group]}", tuple(by_option), default))
    return tuple(found)


def shares_noise(factor: str) -> bool:
    """Whether runs with one seed and different levels of the factor share noise: first weights, or data order."""
    about = declared(factor)
    return about is not None and about.declared.shares_noise


def _in_order(runs: pd.DataFrame, keys: Sequence[str], contexts: Any) -> list[int]:
    places = [{typed(level): place for place, level in enumerate(levels_of(runs, key))} for key in keys]
    return sorted(
        range(len(contexts)),
        key=lambda i: [order[typed(level)] for order, level in zip(places, contexts[i], strict=True)],
    )
