"""What is compared: the factors of a grid, their levels and references, settings, and the contrasts between them."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, ListConfig, OmegaConf

from hydra_plugins.resolve_sweeper._options import ResolveError


@dataclass(frozen=True)
class Factor:
    """A swept key."""

    key: str
    """As it is overridden: ``model.num_layers``, ``+x``, ``model``."""
    levels: tuple[str, ...]
    """As Hydra writes them in an override."""
    reference: int = 0
    """Which of the levels the others are compared with."""


@dataclass(frozen=True)
class Contrast:
    """A level of a factor against the factor's reference, over all combinations of the other factors' levels."""

    factor: str
    """Its key, without a plus sign."""
    level: str
    reference: str
    settings: tuple[int, ...]
    """Those of the level, as places in :attr:`Grid.settings`."""
    reference_settings: tuple[int, ...]
    """Those of the reference, in the same contexts."""

    @property
    def label(self) -> str:
        """``model.num_layers=2``."""
        return f"{self.factor}={self.level}"

    @property
    def pair(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The places of both."""
        return self.settings, self.reference_settings


@dataclass(frozen=True)
class Grid:
    """All combinations of the levels of some factors."""

    factors: tuple[Factor, ...]
    fixed: tuple[str, ...]
    """The overrides that all runs share."""
    seed_key: str
    listed_seeds: str | None = None
    """What the grid says of the seed, which does not count."""
    left_out: frozenset[tuple[int, ...]] = frozenset()
    """Combinations, as in :attr:`settings`, that are none of its settings."""

    @cached_property
    def settings(self) -> list[tuple[int, ...]]:
        """The level of each factor, by its place; the last factor varies fastest, as in Hydra's own sweeper."""
        whole = itertools.product(*(range(len(factor.levels)) for factor in self.factors))
        return [setting for setting in whole if setting not in self.left_out]

    @cached_property
    def contrasts(self) -> list[Contrast]:
        """Each level that is no reference, factor by factor; one that shares no context with its reference has none."""
        found = []
        number = {setting: i for i, setting in enumerate(self.settings)}
        for axis, factor in enumerate(self.factors):
            for place, level in enumerate(factor.levels):
                own = [i for i, setting in enumerate(self.settings) if setting[axis] == place]
                base = [
                    number.get((*setting[:axis], factor.reference, *setting[axis + 1 :]))
                    for setting in map(self.settings.__getitem__, own)
                ]
                pairs = [(one, other) for one, other in zip(own, base, strict=True) if other is not None]
                if place != factor.reference and pairs:
                    own_places, base_places = zip(*pairs, strict=True)
                    name = factor.levels[factor.reference]
                    found.append(Contrast(factor.key.lstrip("+"), level, name, own_places, base_places))
        return found

    def overrides(self, setting: int, seed: int) -> list[str]:
        """Those of a run."""
        chosen = zip(self.factors, self.settings[setting], strict=True)
        swept = [f"{factor.key}={factor.levels[place]}" for factor, place in chosen]
        return [*self.fixed, f"{self.seed_key}={seed}", *swept]

    def levels(self, setting: int) -> dict[str, str]:
        """The level of each factor in a setting."""
        chosen = zip(self.factors, self.settings[setting], strict=True)
        return {factor.key: factor.levels[place] for factor, place in chosen}


def read_grid(overrides: Sequence[Override], seed_key: str) -> Grid:
    """The grid that overrides span; references are first levels. A later override replaces an earlier one of its key.

    Raises:
        ResolveError: if they span none that can be compared.
    """
    latest = {override.get_key_element(): override for override in overrides}
    factors, fixed, listed = [], [], None
    for key, override in latest.items():
        if override.is_sweep_override() and not override.is_discrete_sweep():
            raise ResolveError(
                f"{override.input_line}: must be a list or a range of levels, for this sweeper compares them"
            )
        values = tuple(dict.fromkeys(override.sweep_string_iterator())) if override.is_sweep_override() else None
        if key.lstrip("+") == seed_key.lstrip("+"):
            if values is None:
                raise ResolveError(
                    f"{override.input_line}: the sweeper chooses seeds; hydra.sweeper.first_seed says where they start"
                )
            seed_key, listed = key, str(override.input_line).partition("=")[2]
        elif values is not None and len(values) > 1:
            factors.append(Factor(key, values))
        elif values is not None:
            fixed.append(f"{key}={values[0]}")
        else:
            fixed.append(
                str(override.input_line) if override.is_delete() else f"{key}={override.get_value_element_as_str()}"
            )
    if not factors:
        raise ResolveError(f"nothing to compare: sweep over at least one key besides {seed_key}, as in key=1,2")
    return Grid(tuple(factors), tuple(fixed), seed_key, listed)


def with_references(grid: Grid, asked: Mapping[str, Any], config: DictConfig) -> Grid:
    """The grid, compared with what is asked for, else with what ``config`` has, else with the first levels.

    Args:
        grid: whose references do not count.
        asked: levels by key.
        config: as composed without the factors, with its ``hydra`` node.

    Raises:
        ResolveError: if what is asked for is not in the grid.
    """
    known = {factor.key.lstrip("+"): factor for factor in grid.factors}
    for key in asked:
        if key not in known:
            raise ResolveError(f"hydra.sweeper.reference: {key} is not swept over; {', '.join(known)} is")
    factors = []
    for key, factor in known.items():
        values = [_value(key, level) for level in factor.levels]
        if key in asked:
            level = asked[key] if not isinstance(asked[key], str) else _value(key, asked[key])
            if not _contains(values, level):
                raise ResolveError(
                    f"hydra.sweeper.reference.{key}={asked[key]}: must be one of its levels: {', '.join(factor.levels)}"
                )
            reference = _place(values, level)
        else:
            default = _default(key, config)
            reference = _place(values, default) if _contains(values, default) else 0
        factors.append(Factor(factor.key, factor.levels, reference))
    return replace(grid, factors=tuple(factors))


def without(grid: Grid, expression: str, keeps: Callable[[Sequence[str]], bool], seed: int) -> Grid:
    """The grid without the settings that are not to be kept.

    Args:
        grid: with its references.
        expression: that says which are.
        keeps: the same, from the overrides of a run.
        seed: of that run.

    Raises:
        ResolveError: if a level has nothing left that it can be compared in.
    """
    whole = grid.settings
    dropped = {setting for place, setting in enumerate(whole) if not keeps(grid.overrides(place, seed))}
    left = replace(grid, left_out=frozenset(dropped))
    if not left.settings:
        raise ResolveError(f"hydra.sweeper.filter={expression}: drops all of {len(whole)} settings")
    compared = {(contrast.factor, contrast.level) for contrast in left.contrasts}
    for axis, factor in enumerate(grid.factors):
        for place, level in enumerate(factor.levels):
            key, reference = factor.key.lstrip("+"), factor.levels[factor.reference]
            is_there = any(setting[axis] == place for setting in left.settings)
            if is_there and place != factor.reference and (key, level) not in compared:
                raise ResolveError(
                    f"hydra.sweeper.filter={expression}: leaves {key}={level} nothing in common with "
                    f"{key}={reference}, which it is compared with; hydra.sweeper.reference chooses another"
                )
    if not left.contrasts:
        raise ResolveError(f"hydra.sweeper.filter={expression}: leaves nothing to compare")
    return left


def _value(key: str, level: str) -> Any:
    return OverridesParser.create().parse_override(f"{key}={level}").value()


def _default(key: str, config: DictConfig) -> Any:
    choices = config.hydra.runtime.choices
    if key in choices:
        return choices[key]
    found = OmegaConf.select(config, key, default=None, throw_on_missing=False)
    return OmegaConf.to_container(found) if isinstance(found, DictConfig | ListConfig) else found


def _same(one: Any, other: Any) -> bool:
    # 1 == True in Python, and 1 is no level of a flag.
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _contains(values: Sequence[Any], value: Any) -> bool:
    return any(_same(entry, value) for entry in values)


def _place(values: Sequence[Any], value: Any) -> int:
    return next(i for i, entry in enumerate(values) if _same(entry, value))
