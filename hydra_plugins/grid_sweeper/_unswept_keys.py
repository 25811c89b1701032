"""The values of keys that an expression names and the grid does not: those of the combination's configuration."""

import difflib
from collections.abc import Iterator, Sequence
from enum import Enum
from functools import cached_property
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.object_type import ObjectType
from omegaconf import Container, DictConfig, ListConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from hydra_plugins.grid_sweeper._axes import Combination
from hydra_plugins.grid_sweeper._filter import FilterError
from hydra_plugins.grid_sweeper._swept_keys import SweptKey

_ABSENT, _ELSEWHERE = object(), object()


class UnsweptKeys:
    """Composes as few configurations as it can: one for each set of choices within config groups.

    A value that other keys decide (an interpolation, a section) is looked up in the combination's own configuration.
    """

    def __init__(self, loader: ConfigLoader, master: DictConfig, keys: Sequence[SweptKey]) -> None:
        """Of a sweep over ``keys``; ``master`` is its configuration, with its ``hydra`` node."""
        self._loader, self._master, self._keys = loader, master, keys
        self._bases: dict[tuple[str, ...], DictConfig] = {}
        self._known: dict[tuple[tuple[str, ...], str], Any] = {}

    def value(self, name: str, combination: Combination) -> Any:
        """What the combination's configuration has under a key.

        Raises:
            FilterError: if it has no such key, or no value there.
        """
        shared = tuple(combination[place].override for place in self._shared)
        if (shared, name) not in self._known:
            self._known[shared, name] = self._plain(name, self._base(shared))
        value = self._known[shared, name]
        if value is _ELSEWHERE:
            overrides = [level.override for level in combination]
            value = _looked_up(name, self._loader.load_sweep_config(self._master, overrides))
        if isinstance(value, Enum):
            return value.name
        if isinstance(value, DictConfig | ListConfig):
            return OmegaConf.to_container(value, resolve=True)
        return value if value is None or isinstance(value, bool | int | float | str) else str(value)

    @cached_property
    def _shared(self) -> list[int]:
        """The places of keys with one value, and of choices within groups."""
        return [place for place, key in enumerate(self._keys) if not key.is_swept or self._is_group(key)]

    @cached_property
    def _others(self) -> list[str]:
        return [key.name for place, key in enumerate(self._keys) if place not in self._shared]

    def _is_group(self, key: SweptKey) -> bool:
        group = key.name.partition("@")[0]
        if group in self._master.hydra.runtime.choices:
            return True
        return bool(self._loader.get_group_options(group, results_filter=ObjectType.CONFIG))

    def _base(self, overrides: tuple[str, ...]) -> DictConfig:
        if overrides not in self._bases:
            self._bases[overrides] = self._loader.load_sweep_config(self._master, list(overrides))
        return self._bases[overrides]

    def _plain(self, name: str, config: DictConfig) -> Any:
        """A value that stands where it is, and that no swept key decides: one above or below it, or one it refers to.

        Of any other key it says that it is to be had elsewhere. A group has the name of its choice.
        """
        if name in config.hydra.runtime.choices:
            return config.hydra.runtime.choices[name]
        if any(name.startswith(f"{other}.") or other.startswith(f"{name}.") for other in self._others):
            return _ELSEWHERE
        node: Any = config
        for part in name.split("."):
            if not isinstance(node, DictConfig) or part not in node.keys():  # noqa: SIM118 - which knows missing values
                return _ELSEWHERE
            if OmegaConf.is_interpolation(node, part) or OmegaConf.is_missing(node, part):
                return _ELSEWHERE
            node = node[part]
        return _ELSEWHERE if isinstance(node, Container) else node


def _looked_up(name: str, config: DictConfig) -> Any:
    try:
        value = OmegaConf.select(config, name, default=_ABSENT, throw_on_missing=True)
    except MissingMandatoryValue:
        raise FilterError(f"{name} has no value") from None
    except OmegaConfBaseException as error:
        raise FilterError(f"{name}: {str(error).splitlines()[0]}") from None
    if value is _ABSENT:
        close = difflib.get_close_matches(name, list(_names(config)), n=1)
        meant = f" (did you mean {close[0]}?)" if close else ""
        raise FilterError(f"{name}: no such key{meant}")
    return value


def _names(config: DictConfig, prefix: str = "") -> Iterator[str]:
    for key in map(str, config):
        name = f"{prefix}{key}"
        if name == "hydra":
            continue
        yield name
        absent = OmegaConf.is_interpolation(config, key) or OmegaConf.is_missing(config, key)
        node = None if absent else config.get(key)
        if isinstance(node, DictConfig):
            yield from _names(node, f"{name}.")
