"""From keys and options to jobs: what goes together, what is drawn, what is dropped."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_loader import ConfigLoader
from omegaconf import DictConfig

from hydra_plugins.grid_sweeper._axes import Axis, Combination, axes_of, combinations, number_of
from hydra_plugins.grid_sweeper._filter import Filter, FilterError
from hydra_plugins.grid_sweeper._options import GridError, Options
from hydra_plugins.grid_sweeper._random_points import draw, examples
from hydra_plugins.grid_sweeper._swept_keys import SweptKey, read_keys
from hydra_plugins.grid_sweeper._unswept_keys import UnsweptKeys

log = logging.getLogger("hydra_plugins.grid_sweeper")


@dataclass(frozen=True)
class Selection:
    """Whether a combination passes the filter."""

    filter: Filter | None
    place_of: dict[str, int]
    """Of each key, by its name."""
    unswept: Callable[[str, Combination], Any]
    """The value of a key that is not among them."""

    def keeps(self, combination: Combination) -> bool:
        """Whether it does.

        Raises:
            GridError: if that cannot be said.
        """
        if self.filter is None:
            return True

        def value(name: str) -> Any:
            place = self.place_of.get(name)
            return self.unswept(name, combination) if place is None else combination[place].value

        try:
            return self.filter.passes(value)
        except FilterError as error:
            where = " ".join(level.override for level in combination) or "the defaults"
            raise GridError(f"hydra.sweeper.filter={self.filter}: {error} (with {where})") from None


def jobs_of(keys: Sequence[SweptKey], options: Options, unswept: Callable[[str, Combination], Any]) -> list[list[str]]:
    """The overrides of each job, in order; says how many combinations there are, and how many were dropped.

    Args:
        keys: that are set.
        options: of the sweeper.
        unswept: the value of any other key in the configuration of a combination.

    Raises:
        GridError: if there is no grid, or nothing is left of it.
    """
    axes = axes_of(keys, options.zip)
    expression = None if options.filter is None else Filter(options.filter)
    selection = Selection(expression, {key.name: place for place, key in enumerate(keys)}, unswept)
    if options.random is None:
        for key in keys:
            if key.interval is not None:
                raise GridError(
                    f"{key.line}: this sweeper tries values, as in {key.key}={examples(key.interval)}; interval needs "
                    "one that searches, such as hydra/sweeper=optuna, or hydra.sweeper.random=20, which draws points"
                )
        if options.filter is None:
            if options.zip:
                log.info("grid: %s", _counted(number_of(axes), "combination"))
            return [[level.override for level in combination] for combination in combinations(axes)]
        said = _counted(number_of(axes), "combination")
    else:
        axes, said = _drawn(keys, axes, options, selection)
    total = number_of(axes)
    kept = [[level.override for level in each] for each in combinations(axes) if selection.keeps(each)]
    if not kept:
        raise GridError(f"hydra.sweeper.filter={options.filter}: drops all of {said}")
    if options.filter is not None and (options.random is None or len(kept) < total):
        said += f", {total - len(kept):,} dropped by the filter"
    log.info("grid: %s: %s", said, _counted(len(kept), "job"))
    return kept


def keeps_of(
    expression: str, overrides: Sequence[str], loader: ConfigLoader, master: DictConfig
) -> Callable[[Sequence[str]], bool]:
    """From the overrides of a job, in the order of the sweep's, to whether it passes a filter.

    Raises:
        GridError: of a job of which that cannot be said.
    """
    keys = read_keys({}, overrides, loader)
    levels = [{level.override: level for level in key.levels} for key in keys]

    def keeps(job: Sequence[str]) -> bool:
        # A key with one value may be written in two ways.
        found = [key.levels[0] if not key.is_swept else known[override]
                 for key, known, override in zip(keys, levels, job, strict=True)]  # fmt: skip
        return selection.keeps(found)

    places = {key.name: place for place, key in enumerate(keys)}
    selection = Selection(Filter(expression), places, UnsweptKeys(loader, master, keys).value)
    return keeps


def _drawn(
    keys: Sequence[SweptKey], axes: Sequence[Axis], options: Options, selection: Selection
) -> tuple[list[Axis], str]:
    """The axes with the points that are drawn as one of them, and what there is to say of these."""
    assert options.random is not None
    names = {key.name: key for key in keys}
    for name in options.repeat_over:
        if name in names and names[name].interval is not None:
            raise GridError(f"hydra.sweeper.repeat_over: {names[name].line} has no values that could be counted off")
    repeated = [axis for axis in axes if any(keys[place].name in options.repeat_over for place in axis.places)]
    others = [axis for axis in axes if axis not in repeated]
    intervals = [(place, key) for place, key in enumerate(keys) if key.interval is not None]

    def accepts(point: Axis) -> bool:
        return any(map(selection.keeps, combinations(_in_order([*repeated, point]))))

    points, dropped = draw(others, intervals, options.random, options.random_seed, accepts)
    found = len(points.rows)
    of = "" if intervals else f" of {number_of(others):,}"
    if not found:
        raise GridError(f"hydra.sweeper.filter={options.filter}: drops all of {dropped:,} points that were drawn")
    said = f"{_counted(found, 'point')}{of} drawn with hydra.sweeper.random_seed={options.random_seed}"
    if found < options.random:
        said = f"{said}, and no more found of {options.random:,}"
    if dropped:
        said = f"{said}, {dropped:,} dropped by the filter"
    return _in_order([*repeated, points]), said


def _in_order(axes: Sequence[Axis]) -> list[Axis]:
    return sorted(axes, key=lambda axis: axis.places[:1])


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
