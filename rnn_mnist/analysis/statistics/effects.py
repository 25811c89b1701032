"""What each level of a factor does against its reference: the main effect, by seed, over the contexts of both."""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

import pandas as pd

from rnn_mnist.analysis.reading.factors import FactorError, find_aliases, find_factors
from rnn_mnist.analysis.reading.results import check_metric
from rnn_mnist.analysis.statistics.factor_contrasts import FactorContrasts, Task
from rnn_mnist.analysis.statistics.inert import independent_runs, with_inert_cells
from rnn_mnist.analysis.statistics.layout import lay_out, with_defaults_where_absent
from rnn_mnist.analysis.statistics.reference import reference_level
from rnn_mnist.analysis.statistics.sampled import sampled_factors
from rnn_mnist.analysis.statistics.simultaneous import holm

COLUMNS = (
    *("factor", "level", "reference", "at", "contexts", "contexts_planned", "seeds", "seeds_reference"),
    *("mean", "mean_reference", "difference", "low", "high", "p_value", "p_adjusted", "p_family"),
    *("failed", "failed_reference", "runs", "runs_reference", "missing", "missing_reference"),
    *("standard_deviation", "minimum_detectable", "seeds_low", "seeds_high", "alpha", "method"),
    *("verdict", "reason", "depends_on", "confounded", "differs", "detail"),
)
_OBJECTS = {"level", "reference", "at", "method", "verdict", "reason", "confounded", "differs"}


def effects(
    runs: pd.DataFrame,
    factors: Sequence[str] | None = None,
    references: Mapping[str, Any] | None = None,
    metric: str = "test_accuracy",
    *,
    confidence: float = 0.95,
    margin: float | None = None,
    by: str | None = None,
    all_pairs: bool = False,
    anytime: bool = False,
) -> pd.DataFrame:
    """One row for each level of each factor against the factor's reference, or for each pair of levels.

    A row is a main effect: for each seed the difference, averaged over the contexts (combinations of others) that
    both levels have; its test counts seeds. Where an interaction makes a main effect misleading, rows at each level
    of that other factor follow it. No contrast is left out: one that cannot be made has a row that says why.

    Args:
        runs: as :func:`rnn_mnist.analysis.reading.results.load_runs` returns them. Copies that factors without
            any effect make count once.
        factors: those to report; None for all. Replicate keys (``data.split_seed``) are factors if they are named here.
        references: the reference level of a factor; by default the configuration's default, if it was tried, else the
            first level.
        metric: a numeric column; all columns but counts and probabilities have its unit.
        confidence: of all intervals of a factor at once.
        margin: differences up to this do not matter; None takes the metric's own, if it has one.
        by: a factor at each of whose levels the others are compared.
        all_pairs: every level against every other, instead of against the reference.
        anytime: intervals that hold however often one looked (:mod:`rnn_mnist.analysis.statistics.anytime`).

    Returns:
        :data:`COLUMNS`; ``attrs`` has ``metric``, ``confidence``, ``margin``, ``anytime`` and ``runs``. A factor of
        which most levels were drawn once has no rows (:mod:`rnn_mnist.analysis.statistics.sampled`).

        - ``at``: the one level of another factor at which the row holds, as a tuple of a pair; else ().
        - ``contexts``, ``contexts_planned``: those averaged over, and those in which either level was tried.
        - ``difference``, ``low``, ``high``: level less reference, with an interval that holds for all rows of the
          factor together; ``p_value`` of the row alone, ``p_adjusted`` within its factor, ``p_family`` over the factors
          of the table too (Holm).
        - ``failed``, ``runs``, ``missing`` (and those of the reference): runs that diverged, runs with an outcome
          (divergence included), and planned runs without one (killed, unfinished).
        - ``standard_deviation``: of the by-seed differences, or between seeds for Welch's test; ``minimum_detectable``
          with power 0.8 at ``alpha``, the level that the row is held to; ``seeds_low`` to ``seeds_high`` would show the
          margin.
        - ``verdict`` and ``reason``, with ``detail`` in words; ``confounded``: keys that change with the level;
          ``differs``: what else differs between the compared runs (code, device, threads); ``depends_on``: the factor
          that makes the row misleading.

    Raises:
        ResultsError: if no run is completed or there is no such metric.
        FactorError: if a factor, or a reference, is not there.
    """
    judged = check_metric(runs, metric)
    task = Task(judged, confidence, judged.margin if margin is None else margin, all_pairs, anytime)
    asked = list(factors or ())
    varying = find_factors(runs, asked)
    if by is not None and by not in varying:
        raise FactorError(f"{by}: does not vary, so that nothing differs by it; what varies: {', '.join(varying)}")
    if by is not None and not [factor for factor in asked or varying if factor != by]:
        raise FactorError(f"{by}: there is no other factor to compare at each of its levels")
    independent, copying = independent_runs(runs)
    with_copies, without_copies = (cache(partial(_prepared, frame, asked)) for frame in (runs, independent))
    rows: list[dict[str, Any]] = []
    for factor in asked or varying:
        if factor not in varying:
            raise FactorError(f"{factor}: no such factor; what varies: {', '.join(varying) or 'none'}")
        if factor == by:
            continue
        # The factor in question stays even if it does nothing: that is then its answer.
        usable, present, sampled, aliases = with_copies() if factor in copying else without_copies()
        if factor in sampled:
            continue
        others = [other for other in present if other != factor]
        layout = lay_out(usable, factor, others, metric)
        reference = reference_level(usable, factor, references or {})
        contrasts = FactorContrasts(usable, layout, aliases, reference, task)
        made = contrasts.split(by) if by is not None else contrasts.main_and_split(others)
        # In a random search no two runs share a context: its answer is that of the regression.
        rows += [row for row in made if not sampled or row["seeds"]]
    table = pd.DataFrame(
        {name: pd.Series([row[name] for row in rows], dtype=object if name in _OBJECTS else None) for name in COLUMNS}
    )
    table["p_family"] = _over_factors(table)
    table.attrs = {
        "metric": metric, "confidence": confidence, "margin": task.margin, "anytime": anytime, "runs": len(runs)
    }  # fmt: skip
    return table


def _prepared(
    runs: pd.DataFrame, asked: Sequence[str]
) -> tuple[pd.DataFrame, list[str], list[str], dict[str, list[str]]]:
    """The runs with all cells that they stand for; the factors, those that were sampled, and what follows them."""
    usable = with_inert_cells(with_defaults_where_absent(runs), asked)
    factors = find_factors(usable, asked)
    return usable, factors, sampled_factors(usable, factors), find_aliases(usable)


def _over_factors(table: pd.DataFrame) -> "pd.Series[float]":
    """The adjusted p-values corrected once more, by Holm's method over the factors by their smallest."""
    smallest = table.groupby("factor", sort=False)["p_adjusted"].min()
    corrected = pd.Series(holm(smallest.to_numpy(float)), smallest.index)
    times = (corrected / smallest.clip(lower=1e-300)).clip(lower=1.0)
    return (table["p_adjusted"] * table["factor"].map(times)).clip(upper=1.0)
