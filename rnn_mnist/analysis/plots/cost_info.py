"""What each setting reached and what it cost, before that is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnn_mnist.analysis.plots.cost_front import Front, find_front
from rnn_mnist.analysis.plots.replicates import Replicates, replicates
from rnn_mnist.analysis.plots.settings import are_ordered, group_settings
from rnn_mnist.analysis.plots.source import Source, find_source
from rnn_mnist.analysis.reading.levels import short_name
from rnn_mnist.analysis.reading.outcomes import outcomes
from rnn_mnist.analysis.reading.results import check_metric, completed
from rnn_mnist.catalogues.metrics import Metric
from rnn_mnist.runs.record import State

COSTS = ("parameters", "train_seconds")


@dataclass(frozen=True)
class SettingCost:
    """One setting.

    Attributes:
        reached: its runs.
        average: of what they reached; NaN where no run has completed.
        costs: the mean of each of :data:`COSTS`.
        eligible: whether it may stand on a front: no run has diverged, and it has as many seeds as any other.
    """

    label: str
    reached: Replicates
    average: float
    costs: tuple[float, float]
    eligible: bool


@dataclass(frozen=True)
class CostInfo:
    """What the figure shows; ``fronts`` has one for each of :data:`COSTS`."""

    metric: Metric
    settings: tuple[SettingCost, ...]
    fronts: tuple[Front, ...]
    most_seeds: int
    legend_title: str | None
    ordered: bool
    devices: tuple[str, ...]
    missing: int
    source: Source


def cost_info(runs: pd.DataFrame, *, factors: Sequence[str], metric: str = "test_accuracy") -> CostInfo:
    """What each setting reached and what it cost."""
    judged = check_metric(runs, metric)
    finished = completed(runs)
    found = [
        (setting.label, setting.runs, replicates(setting.runs, metric)) for setting in group_settings(runs, factors)
    ]
    most = max(reached.n for _, _, reached in found)
    settings = []
    for label, rows, reached in found:
        own = rows[rows["status"] == State.completed]
        costs = (float(own[COSTS[0]].mean()), float(own[COSTS[1]].mean()))
        average = float(np.mean(reached.values)) if reached.n else float("nan")
        settings.append(SettingCost(label, reached, average, costs, reached.n == most and not reached.failed))
    sign = -1.0 if judged.higher_is_better is False else 1.0
    values = [sign * np.array(setting.reached.values) for setting in settings]
    eligible = [setting.eligible for setting in settings]
    return CostInfo(
        metric=judged,
        settings=tuple(settings),
        fronts=tuple(
            find_front(np.array([setting.costs[i] for setting in settings]), values, eligible)
            for i in range(len(COSTS))
        ),
        most_seeds=most,
        legend_title=short_name(factors[0]) if len(factors) == 1 else None,
        ordered=are_ordered(runs, factors),
        devices=tuple(dict.fromkeys(finished["device"].dropna())),
        missing=outcomes(runs).missing,
        source=find_source(runs),
    )
