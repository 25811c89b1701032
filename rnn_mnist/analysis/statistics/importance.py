"""How much of the variance between runs each factor accounts for, over the ranges that were searched.

An importance says nothing beyond those ranges: a learning rate searched from 0.001 to 0.003 matters less than one from
0.0001 to 1. They therefore stand beside it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.factors import FactorError, find_factors, levels_of
from rnn_mnist.analysis.reading.levels import format_level, plain, short_name
from rnn_mnist.analysis.reading.results import check_metric, completed
from rnn_mnist.analysis.statistics.additive_regression import AdditiveFit, additive_regression
from rnn_mnist.analysis.statistics.additive_terms import scale_of
from rnn_mnist.analysis.statistics.inert import active_runs, independent_runs
from rnn_mnist.analysis.statistics.least_squares import FOLDS, REPEATS
from rnn_mnist.analysis.statistics.sampled import is_number, sampled_factors
from rnn_mnist.analysis.statistics.variance_shares import shares_by_chance, variance_shares

GRID_METHOD = "functional ANOVA of the full grid"
HELD_OUT_METHOD = (
    "variance of held-out runs that is lost without the factor ({how}; {folds}-fold, {repeats} times, seed {seed})"
)
COLUMNS = ("kind", "term", "share", "by_chance", "error", "ranges", "method")


class TermKind(StrEnum):
    """What a share of the variance goes with; the last three have no keys."""

    factor = "factor"
    interaction = "interaction"
    higher = "higher interactions"
    seeds = "seeds"
    rest = "interactions and noise"


def term_text(kind: TermKind, term: Sequence[str], among: Sequence[str] = ()) -> str:
    """A term in words, its keys shortened where ``among`` (all keys of the table) is given."""
    return " × ".join(short_name(key, among) if among else key for key in term) or str(kind)


def importance(
    runs: pd.DataFrame,
    factors: Sequence[str] | None = None,
    metric: str = "test_accuracy",
    seed: int = 0,
    most_factors: int = 2,
) -> pd.DataFrame:
    """The share of the metric's variance that each factor and interaction accounts for, largest first.

    A full grid (every combination of levels has a completed run) is divided exactly, with the seeds as the residual.
    For all else, and for numbers that were sampled, a factor's share is what the prediction of held-out runs loses
    without it (:func:`rnn_mnist.analysis.statistics.additive_regression.additive_regression`): a factor that does
    nothing has none, and interactions and noise are one row. Runs of a grid in which a factor is inert are left out,
    and factors without any effect have no share: ``attrs["notes"]`` says so.

    Args:
        runs: as :func:`rnn_mnist.analysis.reading.results.load_runs` returns them.
        factors: those to divide among; None for all. The others then count as noise.
        metric: a numeric column.
        seed: of the division into runs that are fitted and held out.
        most_factors: interactions of more factors are one row.

    Returns:
        ``kind`` (:class:`TermKind`), ``term`` (the keys of one factor or of those that interact, as a tuple; empty for
        the other kinds), ``share`` (0 to 1), ``by_chance`` (the share that noise alone would be expected to give it;
        NaN where unknown), ``error`` (the standard error of a share of held-out runs; else NaN), ``ranges`` (what was
        searched) and ``method``.

    Raises:
        ResultsError: if no run is completed or there is no such metric.
        FactorError: if nothing varies that could have an effect, or the runs are too few for a regression.
    """
    check_metric(runs, metric)
    finished = completed(runs)
    finished = finished[finished[metric].notna()]
    independent, copying = independent_runs(finished)
    usable, notes = active_runs(independent)
    notes = [f"{factor}: no effect: identical predictions; it has no share" for factor in copying] + notes
    varying = find_factors(usable)
    chosen = [factor for factor in varying if factors is None or factor in factors]
    if not chosen:
        raise FactorError(f"nothing to divide: {'; '.join(notes) or 'no factor varies among the completed runs'}")
    cells = _cells(usable, chosen, metric)
    planned = math.prod(len(levels_of(usable, factor)) for factor in chosen)
    if len(cells) == planned and not sampled_factors(usable, chosen):
        table = _of_grid(usable, chosen, cells, most_factors)
        table.attrs = {"metric": metric, "notes": notes, "runs": len(usable)}
        return table
    fitted = additive_regression(runs, factors, metric, seed=seed)
    notes = [*fitted.notes, *fitted.failures]
    if not sampled_factors(usable, chosen):
        notes.append(f"{len(cells)} of the grid's {planned} settings have a completed run")
    table = _of_regression(fitted, finished, seed)
    table.attrs = {"metric": metric, "notes": notes, "runs": fitted.runs}
    return table


@dataclass(frozen=True)
class _Cell:
    values: np.ndarray
    seeds: np.ndarray


def _cells(runs: pd.DataFrame, factors: Sequence[str], metric: str) -> dict[tuple[Any, ...], _Cell]:
    grouped: dict[tuple[Any, ...], list[tuple[float, int]]] = {}
    for row in rows_of(runs[[*factors, metric, "seed"]]):
        grouped.setdefault(tuple(plain(row[factor]) for factor in factors), []).append((row[metric], row["seed"]))
    return {levels: _Cell(*map(np.array, zip(*runs_of, strict=True))) for levels, runs_of in grouped.items()}


def _of_grid(
    runs: pd.DataFrame, factors: Sequence[str], cells: dict[tuple[Any, ...], _Cell], most_factors: int
) -> pd.DataFrame:
    levels = [levels_of(runs, factor) for factor in factors]
    ranges = {factor: _range(of_factor, given=factor) for factor, of_factor in zip(factors, levels, strict=True)}
    shape = tuple(len(of_factor) for of_factor in levels)
    in_order = [cells[combination] for combination in product(*levels)]
    ordered = [cell.values for cell in in_order]
    shares, within = variance_shares(ordered, shape)
    chances = shares_by_chance(ordered, [cell.seeds for cell in in_order], shape)
    rows: list[dict[str, Any]] = []
    for term, share in shares.items():
        if len(term) <= most_factors:
            names = tuple(factors[axis] for axis in term)
            kind = TermKind.factor if len(names) == 1 else TermKind.interaction
            rows.append(_entry(kind, names, share, chances[term], "; ".join(ranges[name] for name in names)))
    higher = [term for term in shares if len(term) > most_factors]
    rows.sort(key=lambda row: -row["share"])
    if higher:
        share, chance = (math.fsum(values[term] for term in higher) for values in (shares, chances))
        rows.append(_entry(TermKind.higher, (), share, chance, ""))
    fewest, most = (pick(len(cell) for cell in ordered) for pick in (min, max))
    each = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    rows.append(_entry(TermKind.seeds, (), within, math.nan, f"{each} a setting"))
    return _table(rows, GRID_METHOD)


def _of_regression(fitted: AdditiveFit, runs: pd.DataFrame, seed: int) -> pd.DataFrame:
    rows = []
    for effect in fitted.effects:
        ranges = _range(levels_of(runs, effect.factor), given=effect.factor)
        rows.append(_entry(TermKind.factor, (effect.factor,), effect.share, math.nan, ranges, effect.importance_error))
    rows.sort(key=lambda row: -row["share"])
    rows.append(_entry(TermKind.rest, (), max(0.0, 1 - math.fsum(row["share"] for row in rows)), math.nan, ""))
    how = HELD_OUT_METHOD.format(how=fitted.method, folds=min(FOLDS, fitted.settings), repeats=REPEATS, seed=seed)
    return _table(rows, how)


def _table(rows: Sequence[dict[str, Any]], method: str) -> pd.DataFrame:
    table = pd.DataFrame(rows).assign(method=method)
    # Where pyarrow is installed pandas would keep the members as their texts.
    table["kind"] = pd.Series([row["kind"] for row in rows], dtype=object)
    return table[list(COLUMNS)]


def _entry(
    kind: TermKind, term: tuple[str, ...], share: float, by_chance: float, ranges: str, error: float = math.nan
) -> dict[str, Any]:
    return {"kind": kind, "term": term, "share": share, "by_chance": by_chance, "error": error, "ranges": ranges}


def _range(levels: Sequence[Any], given: str, most: int = 6) -> str:
    numbers = [level for level in levels if is_number(level)]
    if len(levels) <= most or len(numbers) < len({*levels} - {None}):
        return f"{given}={','.join(format_level(level) for level in levels)}"
    scale = ", by its logarithm" if scale_of(given, np.array(numbers)) == "log" else ""
    return f"{given} from {numbers[0]:.3g} to {numbers[-1]:.3g} ({len(numbers)} values{scale})"
