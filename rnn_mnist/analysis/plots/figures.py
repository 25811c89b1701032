"""All kinds of figures by name: what each needs, how it is made, and which of them suit a sweep."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.confusion import confusion_info, describe_confusion, draw_confusion
from rnn_mnist.analysis.plots.cost import cost_info, describe_cost, draw_cost
from rnn_mnist.analysis.plots.effect import describe_effect, draw_effect, effect_info
from rnn_mnist.analysis.plots.forest import describe_forest, draw_forest, forest_info
from rnn_mnist.analysis.plots.importance import describe_importance, draw_importance, importance_info
from rnn_mnist.analysis.plots.interaction import describe_interaction, draw_interaction, interaction_info
from rnn_mnist.analysis.plots.learning_curves import (
    describe_learning_curves,
    draw_learning_curves,
    learning_curves_info,
)
from rnn_mnist.analysis.plots.parallel import describe_parallel, draw_parallel, parallel_info
from rnn_mnist.analysis.plots.seeds import describe_seeds, draw_seeds, seeds_info
from rnn_mnist.analysis.plots.time_steps import describe_time_steps, draw_time_steps, time_steps_info
from rnn_mnist.analysis.reading.factors import find_factors, resolve_factor
from rnn_mnist.analysis.reading.results import ResultsError
from rnn_mnist.analysis.statistics.effects import effects
from rnn_mnist.analysis.statistics.importance import importance

FORMATS = ("png", "svg", "pdf")
DEFAULT_FORMATS = ("png", "svg")

# The kinds that are drawn along certain factors; the others take all of them.
_FACTORS_NEEDED = {"effect": 1, "interaction": 2}


@dataclass(frozen=True)
class Request:
    """One figure that is wanted; None leaves a choice to the figure.

    Attributes:
        kind: a key of :data:`KINDS`.
        factor, hue, facet: configuration keys.
        setting: the label or id of a setting (``confusion``).
    """

    kind: str
    factor: str | None = None
    hue: str | None = None
    facet: str | None = None
    metric: str = "test_accuracy"
    setting: str | None = None


@dataclass(frozen=True)
class DrawnFigure:
    """A figure with the name of its file and a caption that says in words what it shows."""

    name: str
    caption: str
    figure: Figure


class Sweep:
    """The runs that figures are drawn of, and what several figures need, computed once."""

    def __init__(self, runs: pd.DataFrame) -> None:
        """``runs`` are from :func:`rnn_mnist.analysis.reading.results.load_runs`."""
        self.runs = runs

    @cached_property
    def factors(self) -> list[str]:
        """The keys that vary."""
        return find_factors(self.runs)

    @cached_property
    def effects(self) -> pd.DataFrame:
        """The effects of all factors on test accuracy."""
        return effects(self.runs)

    @cached_property
    def importance(self) -> pd.DataFrame:
        """The variance shares of all factors in test accuracy."""
        return importance(self.runs)


def _effect(sweep: Sweep, request: Request) -> tuple[Figure, str]:
    info = effect_info(
        sweep.runs,
        str(request.factor),
        factors=sweep.factors,
        hue=request.hue,
        facet=request.facet,
        metric=request.metric,
    )
    return draw_effect(info), describe_effect(info)


def _learning_curves(sweep: Sweep, request: Request) -> tuple[Figure, str]:
    info = learning_curves_info(sweep.runs, factors=_settings_by(sweep, request))
    return draw_learning_curves(info), describe_learning_curves(info)


def _interaction(sweep: Sweep, request: Request) -> tuple[Figure, str]:
    info = interaction_info(
        sweep.runs, str(request.factor), str(request.hue), factors=sweep.factors, metric=request.metric
    )
    return draw_interaction(info), describe_interaction(info)


def _cost(sweep: Sweep, request: Request) -> tuple[Figure, str]:
    info = cost_info(sweep.runs, factors=_settings_by(sweep, request), metric=request.metric)
    return draw_cost(info), describe_cost(info)


def _importance(sweep: Sweep, request: Request) -> tuple[Figure, str]:
    table = sweep.importance if request.metric == "test_accuracy" else None
    info = importance_info(sweep.runs, metric=request.metric, table=table)
    return draw_importance(info), describe_importance(info)


def _forest(sweep: Sweep, request: Request) -> tuple[Figure, str]:
    table = sweep.effects if request.metric == "test_accuracy" else None
    info = forest_info(sweep.runs, metric=request.metric, table=table)
    return draw_forest(info), describe_forest(info)


def _time_steps(sweep: Sweep, request: Request) -> tuple[Figure, str]:
    info = time_steps_info(sweep.runs, factors=_settings_by(sweep, request))
    return draw_time_steps(info), describe_time_steps(info)


def _confusion(sweep: Sweep, request: Request) -> tuple[Figure, str]:
    info = confusion_info(sweep.runs, factors=sweep.factors, setting=request.setting)
    return draw_confusion(info), describe_confusion(info)


def _seeds(sweep: Sweep, request: Request) -> tuple[Figure, str]:
    info = seeds_info(sweep.runs, factors=_settings_by(sweep, request), metric=request.metric)
    return draw_seeds(info), describe_seeds(info)


def _parallel(sweep: Sweep, request: Request) -> tuple[Figure, str]:
    info = parallel_info(sweep.runs, factors=sweep.factors, metric=request.metric)
    return draw_parallel(info), describe_parallel(info)


KINDS: dict[str, Callable[[Sweep, Request], tuple[Figure, str]]] = {
    "effect": _effect,
    "interaction": _interaction,
    "forest": _forest,
    "importance": _importance,
    "learning_curves": _learning_curves,
    "time_steps": _time_steps,
    "cost": _cost,
    "seeds": _seeds,
    "confusion": _confusion,
    "parallel": _parallel,
}


def draw(sweep: Sweep, request: Request) -> DrawnFigure:
    """Draw one figure.

    Raises:
        ExpectedError: if the kind, a factor, the metric or the setting is not there; the message says what is.
    """
    if request.kind not in KINDS:
        raise ResultsError(f"{request.kind}: no such kind of figure; there are {', '.join(KINDS)}")
    keys = {name: getattr(request, name) for name in ("factor", "hue", "facet")}
    resolved = {name: resolve_factor(sweep.runs, key) for name, key in keys.items() if key}
    request = replace(request, **resolved)
    if request.kind in _FACTORS_NEEDED:
        factor, hue, facet = _keys(sweep, request, _FACTORS_NEEDED[request.kind])
        request = replace(request, factor=factor, hue=hue, facet=facet)
    figure, caption = KINDS[request.kind](sweep, request)
    style.lay_out(figure)
    return DrawnFigure(_file_name(request), caption, figure)


def save(drawn: DrawnFigure, directory: Path, formats: Iterable[str] = DEFAULT_FORMATS) -> list[Path]:
    """Write a figure in each format and return the paths."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / f"{drawn.name}.{suffix}" for suffix in formats]
    with style.publication():
        for path in paths:
            # Without the date, the same figure gives the same bytes.
            metadata = {"Date": None} if path.suffix == ".svg" else None
            drawn.figure.savefig(path, metadata=metadata)
    return paths


def _keys(sweep: Sweep, request: Request, needed: int) -> tuple[str | None, str | None, str | None]:
    """Factor, hue and facet; those that are needed and not given are the first factors that remain."""
    given = [request.factor, request.hue, request.facet]
    remaining = [key for key in sweep.factors if key not in given]
    for place in range(needed):
        if given[place] is None:
            if not remaining:
                there = ", ".join(sweep.factors) or "none"
                raise ResultsError(f"{request.kind}: needs {needed - place} more to vary; what varies: {there}")
            given[place] = remaining.pop(0)
    return given[0], given[1], given[2]


def _settings_by(sweep: Sweep, request: Request) -> Sequence[str]:
    """What divides runs into settings: all factors, the one in question first."""
    return sorted(sweep.factors, key=lambda key: key != request.factor)


def _file_name(request: Request) -> str:
    parts = [request.kind, request.setting if request.kind == "confusion" else None]
    if request.kind in _FACTORS_NEEDED:
        parts += [request.factor, request.hue, request.facet]
    if request.metric != "test_accuracy":
        parts.append(request.metric)
    safe = "".join(letter if letter.isalnum() or letter in "._=-" else "_" for letter in "-".join(filter(None, parts)))
    return safe[:120]
