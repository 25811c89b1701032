"""The best level of what had to be tuned, for every level of what is asked about.

After the "isolation" of the tuning playbook (github.com/google-research/tuning_playbook): two depths are compared
fairly each at its own best learning rate, not both at one that suits the first. The best is chosen by validation
accuracy, so that the test accuracies that are compared have not been selected for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnn_mnist.analysis.reading.factors import FactorError, find_factors, levels_of
from rnn_mnist.analysis.reading.levels import format_level, format_levels
from rnn_mnist.analysis.reading.results import completed
from rnn_mnist.analysis.reading.run_directories import ResultsError
from rnn_mnist.analysis.statistics.inert import independent_runs
from rnn_mnist.analysis.statistics.summary import group_by_levels
from rnn_mnist.runs.record import State


@dataclass(frozen=True)
class NuisanceChoice:
    """What was chosen.

    Attributes:
        runs: those of the chosen settings, completed or not. The nuisance factors are None in all of them: each setting
            has its own level, and as factors they would keep apart what is to be compared.
        chosen: one row for each combination of the other factors: their levels, the chosen levels of the nuisance
            factors, ``val_accuracy`` (mean, a fraction) and ``n`` (completed runs).
        warnings: a line for each choice at the edge of the range that was searched: the true best may lie beyond.
    """

    runs: pd.DataFrame
    chosen: pd.DataFrame
    warnings: tuple[str, ...]


def choose_nuisance(runs: pd.DataFrame, nuisance: Sequence[str]) -> NuisanceChoice:
    """Keep, for every combination of the other factors, the runs at the best levels of the nuisance factors.

    The best setting has the highest mean validation accuracy over its completed seeds. A setting in which a run failed
    is taken only if there is none without.

    Raises:
        FactorError: if a nuisance factor does not vary.
        ResultsError: if no run is completed, or a run has no validation accuracy.
    """
    runs, _ = independent_runs(runs)
    factors = find_factors(runs)
    for key in nuisance:
        if key not in factors:
            raise FactorError(f"{key}: does not vary, so that there is nothing to choose; what varies: {factors}")
    if completed(runs)["val_accuracy"].isna().any():
        raise ResultsError("val_accuracy: some runs have none (data.validation_size=0); nuisance factors need it")
    others = [factor for factor in factors if factor not in nuisance]
    kept, rows, warnings = [], [], []
    for context, group in group_by_levels(runs, others):
        best = _best(group, nuisance)
        if best is None:
            continue
        levels, chosen_runs, mean = best
        kept.append(chosen_runs)
        count = int((chosen_runs["status"] == State.completed).sum())
        rows.append({**context, **levels, "val_accuracy": mean, "n": count})
        warnings += [
            _edge_warning(key, level, context)
            for key, level in levels.items()
            if _at_edge(level, levels_of(group, key))
        ]
    best_runs = runs.loc[[label for group in kept for label in group.index]].assign(**dict.fromkeys(nuisance))
    return NuisanceChoice(best_runs, pd.DataFrame(rows), tuple(warnings))


def _best(runs: pd.DataFrame, nuisance: Sequence[str]) -> tuple[dict[str, Any], pd.DataFrame, float] | None:
    candidates = []
    for levels, group in group_by_levels(runs, nuisance):
        finished = group[group["status"] == State.completed]
        if not finished.empty:
            failed = bool((group["status"] == State.failed).any())
            candidates.append((not failed, float(finished["val_accuracy"].mean()), levels, group))
    if not candidates:
        return None
    _, mean, levels, group = max(candidates, key=lambda candidate: candidate[:2])
    return levels, group, mean


def _at_edge(level: Any, levels: Sequence[Any]) -> bool:
    """Of a range of numbers; names have no edge."""
    numbers = [value for value in levels if isinstance(value, int | float) and not isinstance(value, bool)]
    return level in numbers and len(numbers) > 1 and level in (numbers[0], numbers[-1])


def _edge_warning(key: str, level: Any, context: dict[str, Any]) -> str:
    where = format_levels(context.items())
    return f"{key}={format_level(level)} is best{f' for {where}' if where else ''} and lies at the edge of its range"
