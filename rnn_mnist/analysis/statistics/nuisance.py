"""The best level of what had to be tuned, for every level of what is asked about.

After the "isolation" of the tuning playbook (github.com/google-research/tuning_playbook): two depths are compared
fairly each at its own best learning rate, not both at one that suits the first. The best is chosen by validation
accuracy, and on other seeds than those that are then compared: the best of eight rates, tested on the runs that chose
it, looks 0.17 points better than it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnn_mnist.analysis.reading.factors import FactorError, find_factors, levels_of
from rnn_mnist.analysis.reading.levels import format_level, format_levels
from rnn_mnist.analysis.reading.results import completed
from rnn_mnist.analysis.reading.run_directories import ResultsError
from rnn_mnist.analysis.statistics.by_seed import FEWEST_TO_SPEAK
from rnn_mnist.analysis.statistics.inert import independent_runs
from rnn_mnist.analysis.statistics.summary import group_by_levels
from rnn_mnist.runs.record import State


@dataclass(frozen=True)
class NuisanceChoice:
    """What was chosen.

    Attributes:
        runs: those of the chosen settings with seeds that did not choose, completed or not. The nuisance factors are
            None in all of them: each setting has its own level, and as factors they would keep apart what is to be
            compared.
        chosen: one row for each combination of the other factors: their levels, the chosen levels of the nuisance
            factors, ``val_accuracy`` (mean, a fraction), ``seeds`` (that chose) and ``overrides`` of one of its runs.
        choosing, testing: the seeds that chose, and those that are compared.
        fresh: whether the latter were run at the chosen settings alone; else the seeds were divided.
        warnings: a line for each choice at the edge of the range that was searched: the true best may lie beyond.
    """

    runs: pd.DataFrame
    chosen: pd.DataFrame
    choosing: tuple[int, ...]
    testing: tuple[int, ...]
    fresh: bool
    warnings: tuple[str, ...]


def choose_nuisance(runs: pd.DataFrame, nuisance: Sequence[str]) -> NuisanceChoice:
    """Keep, for every combination of the other factors, runs at the best levels of the nuisance factors.

    The best setting has the highest mean validation accuracy over the seeds that choose. These are all that were run at
    more than one candidate, if at least three further seeds were run at the chosen settings alone; else the first half
    of all seeds. A candidate in which a run diverged, or that has fewer runs than others, is taken only if there is no
    other.

    Raises:
        FactorError: if a nuisance factor does not vary.
        ResultsError: if no run is completed, or a run has no validation accuracy.
    """
    runs, _ = independent_runs(runs)
    factors = find_factors(runs)
    for key in nuisance:
        if key not in factors:
            there = ", ".join(factors) or "none"
            raise FactorError(f"{key}: does not vary, so that there is nothing to choose; what varies: {there}")
    if completed(runs)["val_accuracy"].isna().any():
        raise ResultsError("val_accuracy: some runs have none (data.validation_size=0); nuisance factors need it")
    others = [factor for factor in factors if factor not in nuisance]
    choosing, testing, fresh = _divide_seeds(runs, others)
    kept, rows, warnings = [], [], []
    for context, group in group_by_levels(runs, others):
        best = _best(group[group["seed"].isin(choosing)], nuisance)
        if best is None:
            continue
        levels, chosen_runs, mean = best
        same = pd.concat(
            [group[key].map(format_level) == format_level(level) for key, level in levels.items()], axis=1
        ).all(axis=1)
        kept.append(group[same & group["seed"].isin(testing)])
        finished = chosen_runs[chosen_runs["status"] == State.completed]
        rows.append(
            {
                **context,
                **levels,
                "val_accuracy": mean,
                "seeds": finished["seed"].nunique(),
                "overrides": finished["overrides"].iloc[0],
            }
        )
        warnings += [
            _edge_warning(key, level, context)
            for key, level in levels.items()
            if _at_edge(level, levels_of(group, key))
        ]
    best_runs = runs.loc[[label for group in kept for label in group.index]].assign(**dict.fromkeys(nuisance))
    return NuisanceChoice(best_runs, pd.DataFrame(rows), choosing, testing, fresh, tuple(warnings))


def _divide_seeds(runs: pd.DataFrame, others: Sequence[str]) -> tuple[tuple[int, ...], tuple[int, ...], bool]:
    """The seeds that choose, those that are compared, and whether the latter are fresh."""
    contested: set[int] = set()
    for _, group in group_by_levels(runs, others):
        settings = group.groupby("seed")["setting_id"].nunique()
        contested |= {int(seed) for seed in settings[settings > 1].index}
    seeds = sorted({int(seed) for seed in runs["seed"].dropna()})
    fresh = tuple(seed for seed in seeds if seed not in contested)
    if contested and len(fresh) >= FEWEST_TO_SPEAK:
        return tuple(sorted(contested)), fresh, True
    half = max(1, len(seeds) // 2)
    return tuple(seeds[:half]), tuple(seeds[half:]), False


def _best(runs: pd.DataFrame, nuisance: Sequence[str]) -> tuple[dict[str, Any], pd.DataFrame, float] | None:
    candidates = []
    for levels, group in group_by_levels(runs, nuisance):
        finished = group[group["status"] == State.completed]
        if not finished.empty:
            trains, mean = not group["diverged"].any(), float(finished["val_accuracy"].mean())
            candidates.append((trains, finished["seed"].nunique(), mean, levels, group))
    if not candidates:
        return None
    _, _, mean, levels, group = max(candidates, key=lambda candidate: candidate[:3])
    return levels, group, mean


def _at_edge(level: Any, levels: Sequence[Any]) -> bool:
    """Of a range of numbers; names have no edge."""
    numbers = [value for value in levels if isinstance(value, int | float) and not isinstance(value, bool)]
    return level in numbers and len(numbers) > 1 and level in (numbers[0], numbers[-1])


def _edge_warning(key: str, level: Any, context: dict[str, Any]) -> str:
    where = format_levels(context.items())
    return f"{key}={format_level(level)} is best{f' for {where}' if where else ''} and lies at the edge of its range"
