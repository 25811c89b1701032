"""Compose the configurations of many jobs, without doing again what they share, and without keeping them.

Hydra composes each job twice (the sweeper to check it, the launcher to run it), and each time reads and merges every
YAML file. But only the choices within config groups decide which files are merged; all other overrides are applied to
the result. So Hydra composes once for each set of choices here, and the other overrides are applied to a copy by
Hydra's own function. That takes a millisecond, and what it makes some hundred kilobytes: it is made when it is asked
for, and the sweeper's check, which throws it away, is left to the launcher, which comes next.
"""

import copy
import dataclasses
import functools
import pickle
import re
from collections.abc import Callable
from typing import Any, cast

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.workstation_launcher._hydra_internals import (
    ConfigLoaderImpl,
    apply_overrides,
    give_child,
    is_called_by_check,
    set_override_dirname,
    without_parent,
)

_MOST_REMEMBERED = 5_000
"""Overrides."""
_NUMBER = re.compile(r"(?P<key>\+{0,2}[A-Za-z_][\w.]*)=(?P<value>0|[1-9][0-9]{0,17})", re.ASCII)


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
        self._bases: dict[tuple[int, tuple[str, ...]], _Base] = {}
        # Hydra looks through the folders of its search path each time.
        self._is_group = functools.cache(self._original.repository.group_exists)

    def __reduce__(self) -> tuple[Any, ...]:
        """Jobs get the app's own loader: what this one remembers is of no use to them."""
        return (_itself, (self._original,))

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """As Hydra's; for a sweeper's check of its batch, whose result nobody looks at, nothing is composed."""
        if is_called_by_check():
            return master_config
        try:
            return self.compose(master_config, sweep_overrides)
        except Exception:
            self._on_failure()
            raise

    def compose(
        self, master_config: DictConfig, sweep_overrides: list[str], *, for_a_moment: bool = False
    ) -> DictConfig:
        """A new configuration of a job; one that is needed ``for_a_moment`` may lose its ``hydra`` to the next."""
        parsed = [_parsed(override) for override in sweep_overrides]
        if master_config.hydra.searchpath or any(override.is_hydra_override() for override in parsed):
            return super().load_sweep_config(master_config, sweep_overrides)
        choices: list[Override] = []
        values: list[Override] = []
        for override in parsed:
            (choices if self._is_choice(override) else values).append(override)
        config = self._base(master_config, tuple(map(_line, choices))).restored(share_hydra=for_a_moment)
        apply_overrides(values, config)
        config.hydra.overrides.task = [_line(override) for override in parsed]
        set_override_dirname(parsed, config)
        OmegaConf.copy_cache(from_config=master_config, to_config=config)
        return config

    def _is_choice(self, override: Override) -> bool:
        """Hydra's own rule, in the ``Overrides`` of its defaults list."""
        return self._is_group(override.key_or_group) and not isinstance(override.value(), dict)

    def _base(self, master_config: DictConfig, choices: tuple[str, ...]) -> "_Base":
        key = (id(master_config), choices)
        if key not in self._bases:
            self._bases[key] = _Base(super().load_sweep_config(master_config, list(choices)))
        return self._bases[key]


class _Base:
    """A configuration of which copies are made. Restoring a pickle is several times as quick as a deep copy."""

    def __init__(self, config: DictConfig) -> None:
        self._config = config
        self._pickles: tuple[bytes, bytes] | None = None
        self._shared = without_parent(config, "hydra")
        try:
            self._pickles = pickle.dumps(config), pickle.dumps(self._shared)
        except Exception:  # whatever an object in a configuration raises when it refuses
            give_child(config, "hydra", self._shared)

    def restored(self, *, share_hydra: bool) -> DictConfig:
        """A copy; most of what it takes is the ``hydra`` node, of which nothing but a job's own differs."""
        if self._pickles is None:
            return copy.deepcopy(self._config)
        application, hydra = self._pickles
        config: DictConfig = pickle.loads(application)
        give_child(config, "hydra", self._shared if share_hydra else pickle.loads(hydra))
        return config


def _parsed(line: str) -> Override:
    """What Hydra's parser makes of an override; those of a large sweep often differ in a number alone."""
    number = _NUMBER.fullmatch(line)
    if number is None:
        return _parsed_by_hydra(line)
    return dataclasses.replace(_parsed_by_hydra(f"{number['key']}=1"), _value=int(number["value"]), input_line=line)


@functools.lru_cache(_MOST_REMEMBERED)
def _parsed_by_hydra(line: str) -> Override:
    parsed: list[Override] = OverridesParser.create().parse_overrides([line])
    return parsed[0]


def _line(override: Override) -> str:
    line: str = override.input_line or ""
    return line


def _itself(loader: ConfigLoaderImpl) -> ConfigLoaderImpl:
    return loader
