"""Compose the configurations of many jobs, each of them once, and without doing again what they share.

Hydra composes each job twice (the sweeper to check it, the launcher to run it), and each time reads and merges every
YAML file. But only the choices within config groups decide which files are merged; all other overrides are applied to
the result. So Hydra composes once for each set of choices here, the other overrides are applied to a copy by Hydra's
own function, and the launcher gets the configurations that the sweeper's check composed.
"""

import copy
import pickle
from collections.abc import Callable
from typing import Any, cast

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.workstation_launcher._hydra_internals import (
    ConfigLoaderImpl,
    apply_overrides,
    set_override_dirname,
)


class SweepConfigLoader(ConfigLoaderImpl):
    """Hydra's loader of configurations, with a memory."""

    def __init__(self, loader: ConfigLoader, on_failure: Callable[[], None] = lambda: None) -> None:
        """Around the loader that the app uses, which is not changed.

        Args:
            loader: that one.
            on_failure: called when a job cannot be composed. A sweeper finds that out when it has made the sweep's
                directory already.
        """
        self.__dict__.update(loader.__dict__)
        self._on_failure = on_failure
        self._original = cast(ConfigLoaderImpl, loader)  # Hydra has this one implementation of the interface
        self._bases: dict[tuple[int, tuple[str, ...]], bytes | DictConfig] = {}
        self._composed: dict[tuple[str, ...], DictConfig] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Jobs get the app's own loader: what this one remembers is of no use to them."""
        return (_itself, (self._original,))

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """As Hydra's; the result is kept for :meth:`take`."""
        try:
            config = self._compose(master_config, sweep_overrides)
        except Exception:
            self._on_failure()
            raise
        self._composed[tuple(sweep_overrides)] = config
        return config

    def take(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """The configuration that a sweeper's check composed, or a new one."""
        composed = self._composed.pop(tuple(sweep_overrides), None)
        return self._compose(master_config, sweep_overrides) if composed is None else composed

    def forget(self) -> None:
        """Drop the configurations that nobody took."""
        self._composed.clear()

    def _compose(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        parsed = OverridesParser.create().parse_overrides(sweep_overrides)
        if master_config.hydra.searchpath or any(override.is_hydra_override() for override in parsed):
            return super().load_sweep_config(master_config, sweep_overrides)
        choices = tuple(_line(override) for override in parsed if self._is_choice(override))
        config = self._base(master_config, choices)
        apply_overrides([override for override in parsed if not self._is_choice(override)], config)
        config.hydra.overrides.task = [_line(override) for override in parsed]
        set_override_dirname(parsed, config)
        OmegaConf.copy_cache(from_config=master_config, to_config=config)
        return config

    def _is_choice(self, override: Override) -> bool:
        """Hydra's own rule, in the ``Overrides`` of its defaults list."""
        return self.repository.group_exists(override.key_or_group) and not isinstance(override.value(), dict)

    def _base(self, master_config: DictConfig, choices: tuple[str, ...]) -> DictConfig:
        key = (id(master_config), choices)
        if key not in self._bases:
            base = super().load_sweep_config(master_config, list(choices))
            try:
                # Restoring a pickle is several times as quick as a deep copy.
                self._bases[key] = pickle.dumps(base)
            except Exception:  # whatever an object in a configuration raises when it refuses
                self._bases[key] = base
        stored = self._bases[key]
        restored: DictConfig = pickle.loads(stored) if isinstance(stored, bytes) else copy.deepcopy(stored)
        return restored


def _line(override: Override) -> str:
    line: str = override.input_line or ""
    return line


def _itself(loader: ConfigLoaderImpl) -> ConfigLoaderImpl:
    return loader
