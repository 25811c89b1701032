"""What a kind of figure is, and what it is drawn from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
from matplotlib.figure import Figure

from rnn_mnist.analysis.reading.factors import find_factors
from rnn_mnist.analysis.statistics.effects import effects
from rnn_mnist.analysis.statistics.importance import importance

DEFAULT_METRIC = "test_accuracy"
FACTOR_OPTIONS = ("factor", "hue", "facet")


class Sweep:
    """The runs that figures are drawn of, and what several figures need, computed once."""

    def __init__(self, runs: pd.DataFrame) -> None:
        """``runs`` are from :func:`rnn_mnist.analysis.reading.results.load_runs`."""
        self.runs = runs
        self._effects: dict[str, pd.DataFrame] = {}
        self._importance: dict[str, pd.DataFrame] = {}

    @cached_property
    def factors(self) -> list[str]:
        """The keys that vary."""
        return find_factors(self.runs)

    def factors_from(self, first: str | None) -> list[str]:
        """The same, one of them before the others."""
        return sorted(self.factors, key=lambda key: key != first)

    def effects(self, metric: str = DEFAULT_METRIC) -> pd.DataFrame:
        """The effects of all factors on a metric."""
        if metric not in self._effects:
            self._effects[metric] = effects(self.runs, metric=metric)
        return self._effects[metric]

    def importance(self, metric: str = DEFAULT_METRIC) -> pd.DataFrame:
        """The variance shares of all factors in a metric."""
        if metric not in self._importance:
            self._importance[metric] = importance(self.runs, metric=metric)
        return self._importance[metric]


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


@dataclass(frozen=True)
class FigureKind:
    """A kind of figure, as its file declares it.

    Attributes:
        name: what ``--kind`` calls it.
        summary: one line on what it shows.
        build: makes the figure, and a caption that says in words what it shows.
        takes: the options of a request that it heeds; others are refused.
        needs: how many of factor, hue and facet must be there, chosen among what varies where they are not given.
    """

    name: str
    summary: str
    build: Callable[[Sweep, Request], tuple[Figure, str]]
    takes: tuple[str, ...] = ()
    needs: int = 0
