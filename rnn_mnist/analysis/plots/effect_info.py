"""What the figure of a factor's effect shows, before it is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from rnn_mnist.analysis.plots.curves import spread_evenly
from rnn_mnist.analysis.plots.differences import Difference, differences, interval_note
from rnn_mnist.analysis.plots.factor_axis import FactorAxis, factor_axis
from rnn_mnist.analysis.plots.level_places import LevelPlaces, level_places
from rnn_mnist.analysis.plots.replicates import Averaged, Replicates, averaged_over, replicates
from rnn_mnist.analysis.plots.source import Source, find_source
from rnn_mnist.analysis.reading.levels import format_level, plain, short_name
from rnn_mnist.analysis.reading.outcomes import outcomes
from rnn_mnist.analysis.reading.results import check_metric, completed
from rnn_mnist.catalogues.metrics import Metric

MOST_PANELS = 12
# Beyond as many levels, most of which have but one run, a factor was sampled rather than set to them.
_MOST_CHOSEN = 6


@dataclass(frozen=True)
class EffectSeries:
    """One colour of one panel: the replicates at each level of the factor (None where nothing was run)."""

    label: str
    points: tuple[Replicates | None, ...]


@dataclass(frozen=True)
class EffectPanel:
    """One panel: a level of the facet."""

    title: str
    series: tuple[EffectSeries, ...]


@dataclass(frozen=True)
class EffectInfo:
    """What the figure shows.

    Attributes:
        places: of the factor's levels along the axis.
        panels: of the facet's levels; some of ``panels_there``, evenly, if there are too many.
        averaged: factors that are not shown and over which each seed's value is a mean.
        contexts, contexts_there: combinations of their levels that are averaged over, and of how many.
        pooled: factors that are not shown and over which no fair mean exists, so that there are points alone.
        differences: from the factor's reference, averaged over all other factors or at each level of the hue; empty
            where a facet divides them.
        margin: differences within it are equivalent, in the table's unit; None without one.
        intervals: what the intervals of differences are, in words.
        missing: runs without an outcome.
    """

    metric: Metric
    axis: FactorAxis
    places: LevelPlaces
    hue: FactorAxis | None
    facet: FactorAxis | None
    panels: tuple[EffectPanel, ...]
    panels_there: int
    averaged: tuple[str, ...]
    contexts: int
    contexts_there: int
    pooled: tuple[str, ...]
    differences: tuple[Difference, ...]
    margin: float | None
    intervals: str
    missing: int
    source: Source

    @property
    def points(self) -> list[Replicates]:
        """All points of all panels."""
        return [point for panel in self.panels for series in panel.series for point in series.points if point]

    @property
    def compared(self) -> list[Difference]:
        """The differences that there is something to draw of."""
        return [row for row in self.differences if row.comparable]

    @property
    def references(self) -> str:
        """What the differences are from, in words."""
        return " or ".join(dict.fromkeys(format_level(row.reference) for row in self.differences))


def effect_info(
    runs: pd.DataFrame,
    factor: str,
    *,
    factors: Sequence[str],
    hue: str | None = None,
    facet: str | None = None,
    metric: str = "test_accuracy",
    table: pd.DataFrame | None = None,
) -> EffectInfo:
    """Arrange runs by a factor.

    Args:
        runs: from :func:`rnn_mnist.analysis.reading.results.load_runs`.
        factor: the key along the axis.
        factors: all keys that vary; those that are neither shown nor the seed are averaged over, seed by seed.
        hue: the key that sets colours and markers.
        facet: the key that has a panel for each level.
        metric: the column on the value axis.
        table: from :func:`rnn_mnist.analysis.statistics.effects.effects`, of the same metric; None for no differences.
    """
    judged = check_metric(runs, metric)
    completed(runs)
    shown = [key for key in (factor, hue, facet) if key]
    others = [key for key in factors if key not in shown]
    averaged = averaged_over(runs, shown, others, metric)
    axis = factor_axis(runs, factor)
    facet_axis = factor_axis(runs, facet) if facet else None
    hue_axis = factor_axis(runs, hue) if hue else None
    all_panels = _panels(averaged, metric, axis, hue_axis, facet_axis, shown)
    kept = spread_evenly([-float(i) for i in range(len(all_panels))], MOST_PANELS)
    return EffectInfo(
        metric=judged,
        axis=axis,
        places=level_places(axis, sampled=_is_sampled(runs, axis)),
        hue=hue_axis,
        facet=facet_axis,
        panels=tuple(all_panels[i] for i in kept),
        panels_there=len(all_panels),
        averaged=tuple(others) if averaged.fair else (),
        contexts=averaged.contexts,
        contexts_there=averaged.contexts_there,
        pooled=() if averaged.fair else tuple(others),
        differences=() if table is None or facet else tuple(_differences(table, factor, hue)),
        margin=None if table is None else table.attrs.get("margin"),
        intervals="" if table is None else interval_note(table.attrs),
        missing=outcomes(runs).missing,
        source=find_source(runs),
    )


def _panels(
    averaged: Averaged,
    metric: str,
    axis: FactorAxis,
    hue: FactorAxis | None,
    facet: FactorAxis | None,
    shown: Sequence[str],
) -> list[EffectPanel]:
    """A panel for each level of the facet, with a series for each of the hue and a point for each of the factor."""
    values, behind = [_levels(frame, shown) for frame in (averaged.values, averaged.runs)]

    def point(levels: tuple[str, ...]) -> Replicates | None:
        there = behind.get(levels)
        if there is None and levels not in values:
            return None
        rows = averaged.values.iloc[values.get(levels, [])]
        runs = averaged.runs.iloc[there or []]
        return replicates(rows, metric, comparable=averaged.fair, runs=runs)

    def series(label: str, rest: tuple[str, ...]) -> EffectSeries:
        return EffectSeries(label, tuple(point((repr(level), *rest)) for level in axis.levels))

    def panel(title: str, rest: tuple[str, ...]) -> EffectPanel:
        if hue is None:
            return EffectPanel(title, (series("", rest),))
        pairs = zip(hue.levels, hue.labels, strict=True)
        return EffectPanel(title, tuple(series(label, (repr(level), *rest)) for level, label in pairs))

    if facet is None:
        return [panel("", ())]
    name = short_name(facet.key, shown)
    return [panel(f"{name}={format_level(level)}", (repr(level),)) for level in facet.levels]


def _levels(frame: pd.DataFrame, shown: Sequence[str]) -> dict[tuple[str, ...], list[int]]:
    """The positions of the rows that have each combination of levels, by how those are written."""
    found: dict[tuple[str, ...], list[int]] = {}
    for position, row in enumerate(frame[list(shown)].itertuples(index=False)):
        found.setdefault(tuple(repr(plain(level)) for level in row), []).append(position)
    return found


def _is_sampled(runs: pd.DataFrame, axis: FactorAxis) -> bool:
    """Whether the levels were drawn: more than a handful of numbers, most with one run."""
    counts = runs[axis.key].map(plain).value_counts()
    return axis.numeric and len(counts) > _MOST_CHOSEN and float(counts.median()) < 2


def _differences(table: pd.DataFrame, factor: str, hue: str | None) -> list[Difference]:
    """A factor's rows: those at each level of the hue if they are there, else its main effects."""
    if table.empty:
        return []
    rows = [row for row in differences(table) if row.factor == factor]
    split = [row for row in rows if hue is not None and [key for key, _ in row.place] == [hue]]
    return split or [row for row in rows if not row.place]
