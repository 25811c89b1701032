"""How much of the variance between runs each factor accounts for, over the ranges that were searched.

An importance says nothing beyond those ranges: a learning rate searched from 0.001 to 0.003 matters less than one from
0.0001 to 1. They therefore stand beside it.
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.factors import FactorError, find_factors, levels_of
from rnn_mnist.analysis.reading.levels import format_level, plain, short_name
from rnn_mnist.analysis.reading.results import check_metric, completed
from rnn_mnist.analysis.statistics.inert import active_runs, independent_runs
from rnn_mnist.analysis.statistics.variance_shares import shares_by_chance, variance_shares
from rnn_mnist.configuration.schema import declared

GRID_METHOD = "functional ANOVA of the full grid"
FOREST_METHOD = "functional ANOVA of a random forest (optuna FanovaImportanceEvaluator, {trees} trees, seed {seed})"
TREES = 64
COLUMNS = ("kind", "term", "share", "by_chance", "ranges", "method")


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
    Otherwise a random forest is fitted to the runs and its functional ANOVA taken; that tells interactions and noise
    not apart. Runs in which a factor is inert are left out, and factors without any effect have no share:
    ``attrs["notes"]`` says so.

    Args:
        runs: as :func:`rnn_mnist.analysis.reading.results.load_runs` returns them.
        factors: those to divide among; None for all. The others then count as noise.
        metric: a numeric column.
        seed: of the forest.
        most_factors: interactions of more factors are one row.

    Returns:
        ``kind`` (:class:`TermKind`), ``term`` (the keys of one factor or of those that interact, as a tuple; empty for
        the other kinds), ``share`` (0 to 1), ``by_chance`` (the share that noise alone would be expected to give it;
        NaN where unknown), ``ranges`` (what was searched) and ``method``.

    Raises:
        ResultsError: if no run is completed or there is no such metric.
        FactorError: if nothing varies that could have an effect.
    """
    check_metric(runs, metric)
    finished = completed(runs)
    finished = finished[finished[metric].notna()]
    usable, copying = independent_runs(finished)
    usable, notes = active_runs(usable)
    notes = [f"{factor}: no effect: identical predictions; it has no share" for factor in copying] + notes
    varying = find_factors(usable)
    chosen = [factor for factor in varying if factors is None or factor in factors]
    if not chosen:
        raise FactorError(f"nothing to divide: {'; '.join(notes) or 'no factor varies among the completed runs'}")
    cells = _cells(usable, chosen, metric)
    shape = tuple(len(levels_of(usable, factor)) for factor in chosen)
    ranges = {factor: _range(levels_of(usable, factor), given=factor) for factor in chosen}
    if len(cells) == math.prod(shape):
        table = _of_grid(usable, chosen, cells, ranges, most_factors)
    else:
        notes.append(f"{len(cells)} of the grid's {math.prod(shape)} settings have a completed run")
        table = _of_forest(usable, chosen, metric, ranges, seed)
    table.attrs = {"metric": metric, "notes": notes, "runs": len(usable)}
    return table


def _cells(runs: pd.DataFrame, factors: Sequence[str], metric: str) -> dict[tuple[Any, ...], np.ndarray]:
    grouped: dict[tuple[Any, ...], list[float]] = {}
    for row in rows_of(runs[[*factors, metric]]):
        grouped.setdefault(tuple(plain(row[factor]) for factor in factors), []).append(row[metric])
    return {levels: np.array(values) for levels, values in grouped.items()}


def _of_grid(
    runs: pd.DataFrame,
    factors: Sequence[str],
    cells: dict[tuple[Any, ...], np.ndarray],
    ranges: dict[str, str],
    most_factors: int,
) -> pd.DataFrame:
    levels = [levels_of(runs, factor) for factor in factors]
    shape = tuple(len(of_factor) for of_factor in levels)
    ordered = [cells[combination] for combination in product(*levels)]
    shares, within = variance_shares(ordered, shape)
    chances = shares_by_chance(ordered, shape, within)
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
    return pd.DataFrame(rows).assign(method=GRID_METHOD)[list(COLUMNS)]


def _of_forest(
    runs: pd.DataFrame, factors: Sequence[str], metric: str, ranges: dict[str, str], seed: int
) -> pd.DataFrame:
    # Imported here: it takes longer than all else in this package.
    import optuna

    distributions = {factor: _distribution(factor, levels_of(runs, factor)) for factor in factors}
    trials = [
        optuna.trial.create_trial(
            params={factor: _as_parameter(row[factor], distributions[factor]) for factor in factors},
            distributions=distributions,
            value=row[metric],
        )
        for row in rows_of(runs[[*factors, metric]])
    ]
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    optuna.logging.set_verbosity(verbosity)
    study.add_trials(trials)
    if runs[metric].nunique() == 1:
        shares = dict.fromkeys(factors, 0.0)
    else:
        # By name: optuna's default evaluator (PED-ANOVA) answers another question, importance near the best runs.
        evaluator = optuna.importance.FanovaImportanceEvaluator(n_trees=TREES, seed=seed)
        shares = evaluator.evaluate(study, params=list(factors))
    rows = [_entry(TermKind.factor, (factor,), shares[factor], math.nan, ranges[factor]) for factor in factors]
    rows.sort(key=lambda row: -row["share"])
    if rest := max(0.0, 1 - math.fsum(shares.values())) if any(shares.values()) else 0.0:
        rows.append(_entry(TermKind.rest, (), rest, math.nan, ""))
    return pd.DataFrame(rows).assign(method=FOREST_METHOD.format(trees=TREES, seed=seed))[list(COLUMNS)]


def _entry(kind: TermKind, term: tuple[str, ...], share: float, by_chance: float, ranges: str) -> dict[str, Any]:
    return {"kind": kind, "term": term, "share": share, "by_chance": by_chance, "ranges": ranges}


def _range(levels: Sequence[Any], given: str, most: int = 6) -> str:
    if len(levels) <= most or not _numeric(levels):
        return f"{given}={','.join(format_level(level) for level in levels)}"
    scale = ", by its logarithm" if _logarithmic(given, levels) else ""
    return f"{given} from {format_level(levels[0])} to {format_level(levels[-1])} ({len(levels)} values{scale})"


def _numeric(levels: Sequence[Any]) -> bool:
    return all(isinstance(level, int | float) and not isinstance(level, bool) for level in levels)


def _logarithmic(factor: str, levels: Sequence[Any]) -> bool:
    about = declared(factor)
    return about is not None and about.declared.scale == "log" and levels[0] > 0


def _distribution(factor: str, levels: Sequence[Any]) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if not _numeric(levels):
        return CategoricalDistribution([format_level(level) for level in levels])
    return FloatDistribution(float(levels[0]), float(levels[-1]), log=_logarithmic(factor, levels))


def _as_parameter(value: Any, distribution: Any) -> Any:
    return format_level(value) if hasattr(distribution, "choices") else float(value)
