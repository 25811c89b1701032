"""What each setting reached: number of runs, mean, spread and interval over its seeds."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.factors import find_factors, levels_of
from rnn_mnist.analysis.reading.levels import plain
from rnn_mnist.analysis.reading.results import check_metric
from rnn_mnist.analysis.statistics.by_seed import FEWEST_TO_SPEAK
from rnn_mnist.analysis.statistics.failures import rate_interval
from rnn_mnist.analysis.statistics.inert import independent_runs
from rnn_mnist.runs.files import write_csv
from rnn_mnist.runs.record import State


def summarize(
    runs: pd.DataFrame, by: Sequence[str], metric: str = "test_accuracy", confidence: float = 0.95
) -> pd.DataFrame:
    """One row for each combination of levels of ``by``, in config order.

    Args:
        runs: as :func:`rnn_mnist.analysis.reading.results.load_runs` returns them.
        by: the factors to group by. Factors that are left out are averaged over: ``attrs["pooled"]`` names them, and
            the spread is then not that of the seeds alone. Copies that a factor without any effect makes count once.
        metric: a numeric column.
        confidence: of the interval, between 0 and 1.

    Returns:
        The columns of ``by``, then ``n`` (completed runs), ``failed`` (that diverged), ``mean``,
        ``standard_deviation`` (of a single run, n - 1), ``low``, ``high``. With fewer than three runs no
        interval is claimed: both ends are NaN.

    Raises:
        ResultsError: if there is no such metric, or no completed run has it.
    """
    check_metric(runs, metric)
    return _summarize(runs, by, metric, confidence)


def interval(values: np.ndarray, confidence: float = 0.95) -> tuple[float, float]:
    """Student's confidence interval of the mean of ``values`` ``[n]``; NaN for fewer than three.

    A bootstrap (BCa) is too narrow for few seeds: at a nominal 95 % it covered 80 % with five.
    """
    if len(values) < FEWEST_TO_SPEAK:
        return np.nan, np.nan
    mean = float(values.mean())
    if np.ptp(values) == 0:  # their computed deviation may be 1e-17
        return mean, mean
    low, high = stats.t.interval(confidence, len(values) - 1, loc=mean, scale=stats.sem(values))
    return float(low), float(high)


def wilson_interval(accuracy: float, images: int, confidence: float = 0.95) -> tuple[float, float]:
    """Within what the true accuracy of *one* trained network lies that got this share of so many images right.

    More seeds do not narrow it: all runs are tested on the same images. Wilson's score interval.
    """
    if math.isnan(accuracy):
        return math.nan, math.nan
    return rate_interval(round(accuracy * images), images, confidence)


def group_by_levels(runs: pd.DataFrame, by: Sequence[str]) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """The runs of each combination of levels, with the levels, in config order; None is a level like any other."""
    if not by:
        yield {}, runs
        return
    places = [{level: place for place, level in enumerate(levels_of(runs, key))} for key in by]
    codes = pd.DataFrame(
        {
            key: runs[key].map(plain).map(lambda value, order=order: order[plain(value)])
            for key, order in zip(by, places, strict=True)
        },
        index=runs.index,
    )
    for _, part in codes.groupby(list(by), sort=True):
        group = runs.loc[part.index]
        yield {key: plain(group[key].iloc[0]) for key in by}, group


def summary_table(runs: pd.DataFrame, metric: str = "test_accuracy") -> pd.DataFrame:
    """One row a setting: factors, the metric as in :func:`summarize`, mean ``parameters`` and ``train_seconds``.

    A setting whose runs have all failed has its row too, and so has every one of a sweep without a completed run.
    """
    factors = find_factors(runs)
    table = _summarize(runs, factors, metric, confidence=0.95)
    finished = [group[group["status"] == State.completed] for _, group in group_by_levels(runs, factors)]
    for column in ("parameters", "train_seconds"):
        table[column] = [group[column].mean() if len(group) else np.nan for group in finished]
    return table


def write_summary(runs: pd.DataFrame, sweep_directory: Path) -> Path:
    """Write ``summary.csv`` of a sweep's runs (:func:`summary_table`; accuracies are fractions) and return its path."""
    table = summary_table(runs)
    rows = [
        {column: None if plain(value) is None else value for column, value in row.items()} for row in rows_of(table)
    ]
    path = sweep_directory / "summary.csv"
    write_csv(path, rows)
    return path


def _summarize(runs: pd.DataFrame, by: Sequence[str], metric: str, confidence: float) -> pd.DataFrame:
    factors = find_factors(runs)
    pooled = [factor for factor in factors if factor not in by]
    if pooled:
        counted, copying = independent_runs(runs)
        if not set(copying) & set(by):
            runs = counted
        pooled = [factor for factor in pooled if factor not in copying]
    rows = []
    for levels, group in group_by_levels(runs, by):
        values = group.loc[group["status"] == State.completed, metric].dropna().to_numpy(float)
        low, high = interval(values, confidence)
        rows.append(
            {
                **levels,
                "n": len(values),
                "failed": int(group["diverged"].sum()),
                "mean": values.mean() if len(values) else np.nan,
                "standard_deviation": values.std(ddof=1) if len(values) > 1 else np.nan,
                "low": low,
                "high": high,
            }
        )
    columns = [*by, "n", "failed", "mean", "standard_deviation", "low", "high"]
    table = pd.DataFrame({column: pd.Series([row[column] for row in rows]) for column in columns})
    table.attrs = {"pooled": pooled, "metric": metric, "confidence": confidence}
    return table
