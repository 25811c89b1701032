"""The configurations of a sweep's jobs, each made when it is asked for."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, flag_override

from hydra_plugins.workstation_launcher._composition import SweepConfigLoader

_MANY_OBJECTS = 30_000
"""Those of about twenty configurations."""


class Configurations:
    """Makes configurations of jobs of one batch; the last one that was made is remembered."""

    def __init__(self, loader: SweepConfigLoader, master: DictConfig) -> None:
        """``master`` is the sweep's own configuration."""
        self._loader, self._master = loader, master
        self._resolved_by_master = OmegaConf.get_cache(master)
        self._last: tuple[object, DictConfig] | None = None

    def compose(self, overrides: list[str], number: int, *, for_a_moment: bool = False) -> DictConfig:
        """The configuration of a job of that number, which ``${hydra:...}`` then means as well.

        One that is needed ``for_a_moment`` may lose its ``hydra`` to the next.
        """
        config = self._loader.compose(self._master, overrides, for_a_moment=for_a_moment)
        with flag_override(config.hydra.job, ["readonly", "struct"], values=False):
            config.hydra.job.num = number
            config.hydra.job.id = str(number)
        # Hydra's own set_config copies the node, which is most of what planning a job would cost.
        HydraConfig.instance().cfg = config  # type: ignore[assignment]
        return config

    def maker(self, overrides: list[str], place: str, planned: DictConfig) -> Callable[[], DictConfig]:
        """What makes the configuration of a job that will lie in a place again, as it was when it was planned."""
        number = planned.hydra.job.num
        # Resolvers may draw what they return, and what was drawn is kept with a configuration.
        cache = OmegaConf.get_cache(planned)
        resolved: Any = None if cache == self._resolved_by_master else cache

        def make() -> DictConfig:
            if self._last is None or self._last[0] is not make:
                config = self.compose(overrides, number)
                if resolved is not None:
                    OmegaConf.set_cache(config, resolved)
                set_hydra(config, "sweep.subdir", place.replace("${", "\\${"))
                self._last = make, config
            return self._last[1]

        return make


@contextmanager
def rare_collections() -> Iterator[None]:
    """Have Python look for garbage less often while many configurations are made: that would take half of the time."""
    usual = gc.get_threshold()
    gc.set_threshold(_MANY_OBJECTS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def set_hydra(config: DictConfig, key: str, value: object) -> None:
    """Set a value under ``hydra``, which is read-only once Hydra knows of the configuration."""
    with flag_override(config.hydra, ["readonly", "struct"], values=False):
        OmegaConf.update(config.hydra, key, value)
