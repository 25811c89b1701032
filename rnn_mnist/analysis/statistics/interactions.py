"""Whether the effect of one factor depends on another: contrasts of contrasts, by seed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from rnn_mnist.analysis.reading.factors import find_factors
from rnn_mnist.analysis.reading.levels import typed
from rnn_mnist.analysis.reading.results import check_metric
from rnn_mnist.analysis.statistics.by_seed import Contrast, independent_contrast, paired_contrast, usable_contexts
from rnn_mnist.analysis.statistics.inert import independent_runs, with_inert_cells
from rnn_mnist.analysis.statistics.layout import Layout, lay_out, shares_noise, with_defaults_where_absent
from rnn_mnist.analysis.statistics.simultaneous import holm, judge

COLUMNS = (
    *("factor", "level", "reference", "other", "other_level", "other_reference"),
    *("difference", "low", "high", "p_adjusted", "p_family", "resolved"),
)

LEVEL = 0.01
"""At which a main effect is said to depend on another factor: what is then split by it may be wrong once more, so that
the level adds to that of the main effects."""


@dataclass(frozen=True)
class _Interaction:
    """How much the contrast of two levels of a factor differs between two levels of another."""

    level: int
    reference: int
    other_level: Any
    other_reference: Any
    contrast: Contrast


def interactions(runs: pd.DataFrame, metric: str = "test_accuracy", confidence: float = 0.95) -> pd.DataFrame:
    """For each pair of factors, how much the effect of one differs between the levels of the other, a row each.

    Args:
        runs: as :func:`rnn_mnist.analysis.reading.results.load_runs` returns them.
        metric: a numeric column, which the differences have the unit of.
        confidence: of all intervals of a pair of factors together.

    Returns:
        ``factor``, ``level``, ``reference``; ``other``, ``other_level``, ``other_reference``; ``difference`` (of the
        differences) with ``low`` and ``high``; ``p_adjusted`` within the pair of factors, ``p_family`` by Holm over the
        pairs; ``resolved``, whether that is below 1 - confidence. Pairs without common contexts have no row.

    Raises:
        ResultsError: if no run is completed or there is no such metric.
    """
    check_metric(runs, metric)
    usable = with_inert_cells(with_defaults_where_absent(independent_runs(runs)[0]))
    factors = find_factors(usable)
    rows: list[dict[str, Any]] = []
    smallest = []
    for factor, other in combinations(factors, 2):
        layout = lay_out(usable, factor, [key for key in factors if key != factor], metric)
        found = _between(
            layout, other, [(level, 0) for level in range(1, len(layout.levels))], paired=shares_noise(factor)
        )
        family = judge(*_statistics(found), confidence) if found else None
        for i, each in enumerate(found):
            assert family is not None
            width = family.critical[i] * math.sqrt(each.contrast.variance)
            rows.append(
                {
                    "factor": factor,
                    "level": layout.levels[each.level],
                    "reference": layout.levels[each.reference],
                    "other": other,
                    "other_level": each.other_level,
                    "other_reference": each.other_reference,
                    "difference": each.contrast.estimate,
                    "low": each.contrast.estimate - width,
                    "high": each.contrast.estimate + width,
                    "p_adjusted": family.adjusted[i],
                }
            )
        smallest.append(float(family.adjusted.min()) if family else math.nan)
    by_pair = dict(zip(combinations(factors, 2), holm(np.array(smallest)), strict=True))
    for row in rows:
        row["p_family"] = max(row["p_adjusted"], by_pair[row["factor"], row["other"]])
        row["resolved"] = bool(row["p_family"] < 1 - confidence)
    objects = ("level", "reference", "other_level", "other_reference")
    return pd.DataFrame(
        {name: pd.Series([row[name] for row in rows], dtype=object if name in objects else None) for name in COLUMNS}
    )


def misleading_factors(
    layout: Layout, rows: Sequence[Mapping[str, Any]], others: Sequence[str], *, paired: bool
) -> list[str]:
    """For each main effect the factor on which it depends so much that it misleads; empty for none.

    That is where an interaction is resolved (at :data:`LEVEL`, by Holm's correction over the other factors), and it
    changes the sign of the effect, or the nearer end of its interval exceeds half of the effect.

    Args:
        layout: of the factor.
        rows: its main effects, as rows of an effects table.
        others: the factors that it may depend on.
        paired: whether a seed shares noise between the levels of the factor.
    """
    places = {typed(level): place for place, level in enumerate(layout.levels)}
    pairs = [
        (places[typed(row["level"])], places[typed(row["reference"])]) if row["seeds"] else (-1, -1) for row in rows
    ]
    tested = [pair for pair in pairs if pair[0] >= 0]
    found = {other: _between(layout, other, tested, paired=paired) for other in others} if tested else {}
    found = {other: each for other, each in found.items() if each}
    families = {other: judge(*_statistics(each), 1 - LEVEL) for other, each in found.items()}
    overall = holm(np.array([family.adjusted.min() for family in families.values()]))
    strongest: dict[tuple[int, int], tuple[float, str]] = {}
    for other, p_value in zip(families, overall, strict=True):
        if p_value >= LEVEL:
            continue
        family = families[other]
        for i, each in enumerate(found[other]):
            pair = (each.level, each.reference)
            main = next(row["difference"] for row, of in zip(rows, pairs, strict=True) if of == pair)
            error = math.sqrt(each.contrast.variance)
            nearer = abs(each.contrast.estimate) - family.critical[i] * error
            if nearer <= 0 or math.isnan(main):
                continue
            if _changes_sign(layout, other, pair, main) or nearer > abs(main) / 2:
                size = abs(each.contrast.t)
                if size > strongest.get(pair, (0.0, ""))[0]:
                    strongest[pair] = size, other
    return [strongest.get(pair, (0.0, ""))[1] for pair in pairs]


def _between(layout: Layout, other: str, pairs: Sequence[tuple[int, int]], *, paired: bool) -> list[_Interaction]:
    """The contrasts of contrasts of some pairs of levels between the other factor's levels and its first."""
    parts = layout.at(other)
    (first, base), *rest = parts.items()
    places = {_without(context, other): place for place, context in enumerate(base.contexts)}
    found = []
    for other_level, part in rest:
        matched = [(i, places[rest]) for i, rest in enumerate(_without(context, other) for context in part.contexts)
                   if rest in places]  # fmt: skip
        here, there = [i for i, _ in matched], [j for _, j in matched]
        for level, reference in pairs:
            changes = [part.values[place][here] - base.values[place][there] for place in (level, reference)]
            used = usable_contexts(*changes, together=paired)
            if not used.any():
                continue
            contrast = (paired_contrast if paired else independent_contrast)(changes[0][used], changes[1][used])
            if contrast.variance > 0:
                found.append(_Interaction(level, reference, other_level, first, contrast))
    return found


def _without(context: tuple[tuple[str, Any], ...], key: str) -> tuple[tuple[str, Any], ...]:
    return tuple(pair for pair in context if pair[0] != key)


def _changes_sign(layout: Layout, other: str, pair: tuple[int, int], main: float) -> bool:
    """Whether the effect points the other way at some level of the other factor."""
    for part in layout.at(other).values():
        differences = part.values[pair[0]] - part.values[pair[1]]
        if not np.isnan(differences).all() and np.nanmean(differences) * main < 0:
            return True
    return False


def _statistics(found: Sequence[_Interaction]) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.array([each.contrast.t for each in found]),
        np.array([each.contrast.degrees_of_freedom for each in found]),
    )
