"""What a kind of figure is, and what it is drawn from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Generic, TypeVar

import pandas as pd
from matplotlib.figure import Figure

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.reading.factors import find_factors
from rnn_mnist.analysis.statistics.answer import answer, regress_if_sampled
from rnn_mnist.analysis.statistics.effects import effects
from rnn_mnist.analysis.statistics.importance import importance
from rnn_mnist.analysis.statistics.sampled import sampled_factors

DEFAULT_METRIC = "test_accuracy"
FACTOR_OPTIONS = ("factor", "hue", "facet")


class Sweep:
    """The runs that figures are drawn of, and what several figures need, computed once."""

    def __init__(self, runs: pd.DataFrame, *, anytime: bool = False) -> None:
        """``runs`` are from :func:`rnn_mnist.analysis.reading.results.load_runs`; ``anytime`` is of their effects."""
        self.runs = runs
        # Of all factors, for the metric that they are called with.
        self.effects = cache(lambda metric: effects(runs, metric=metric, anytime=anytime))
        self.fit = cache(lambda metric: regress_if_sampled(runs, metric))
        self.answer = cache(lambda metric: answer(runs, self.effects(metric), self.fit(metric)))
        self.importance = cache(lambda metric: importance(runs, metric=metric))

    @cached_property
    def factors(self) -> list[str]:
        """The keys that vary."""
        return find_factors(self.runs)

    @cached_property
    def sampled(self) -> bool:
        """Whether it is a random search: some factor was drawn."""
        return bool(sampled_factors(self.runs, self.factors))

    def factors_from(self, first: str | None) -> list[str]:
        """The same, one of them before the others."""
        return sorted(self.factors, key=lambda key: key != first)


@dataclass(frozen=True)
class Request:
    """One figure that is wanted; None leaves a choice to the figure.

    Attributes:
        kind: the name of a kind of figure.
        factor, hue, facet: configuration keys.
        metric: the column that is shown, test accuracy by default.
        setting: the label or id of a setting.
    """

    kind: str
    factor: str | None = None
    hue: str | None = None
    facet: str | None = None
    metric: str = DEFAULT_METRIC
    setting: str | None = None

    @property
    def given(self) -> dict[str, str]:
        """What was chosen, by the option's name."""
        options = {name: getattr(self, name) for name in (*FACTOR_OPTIONS, "metric", "setting")}
        return {name: value for name, value in options.items() if value and (name, value) != ("metric", DEFAULT_METRIC)}


Info = TypeVar("Info")


@dataclass(frozen=True)
class FigureKind(Generic[Info]):
    """A kind of figure, as its file declares it.

    Attributes:
        name: what ``--kind`` calls it.
        summary: one line on what it shows.
        info: what a figure will show, before anything is drawn.
        draw: the figure of that, under the settings of :func:`rnn_mnist.analysis.plots.style.publication`.
        describe: what it shows, in a sentence or two.
        takes: the options of a request that it heeds; others are refused.
        narrowest: inches; in less its words would not fit.
        needs: how many of factor, hue and facet must be there, chosen among what varies where they are not given.
    """

    name: str
    summary: str
    info: Callable[[Sweep, Request], Info]
    draw: Callable[[Info], Figure]
    describe: Callable[[Info], str]
    takes: tuple[str, ...] = ()
    needs: int = 0
    narrowest: float = style.NARROWEST

    def build(self, sweep: Sweep, request: Request) -> tuple[Figure, str]:
        """The figure that is asked for, and its caption."""
        info = self.info(sweep, request)
        with style.publication():
            return self.draw(info), self.describe(info)
