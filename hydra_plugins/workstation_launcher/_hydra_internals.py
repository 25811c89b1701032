"""What the launcher uses of Hydra and OmegaConf that is not their public interface, and nothing else does.

Tested with Hydra 1.3.8 (OmegaConf 2.3.1) and 1.4.0rc3 (OmegaConf 2.4.1rc1). With another version, look here first.
"""

import io
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from typing import Any

from hydra._internal import config_loader_impl
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.types import Override
from hydra.core.utils import JobReturn
from hydra.plugins.sweeper import Sweeper
from omegaconf import DictConfig, ListConfig, OmegaConf

__all__ = [
    "ConfigLoaderImpl",
    "ListedJobReturn",
    "apply_overrides",
    "failure",
    "give_child",
    "interpolation",
    "is_called_by_check",
    "set_override_dirname",
    "without_parent",
]


def apply_overrides(overrides: Sequence[Override], config: DictConfig) -> None:
    """Apply overrides that are no choices within config groups to a composed configuration, as Hydra does."""
    ConfigLoaderImpl._apply_overrides_to_config(list(overrides), config)


def set_override_dirname(overrides: Sequence[Override], config: DictConfig) -> None:
    """Set ``hydra.job.override_dirname``; Hydra 1.4 derives it when it is asked for."""
    make_name = getattr(config_loader_impl, "get_overrides_dirname", None)
    if make_name is not None:
        rules = config.hydra.job.config.override_dirname
        config.hydra.job.override_dirname = make_name(
            overrides=list(overrides), kv_sep=rules.kv_sep, item_sep=rules.item_sep, exclude_keys=rules.exclude_keys
        )


def without_parent(parent: DictConfig, key: str) -> DictConfig:
    """Take a section out of a configuration."""
    child: DictConfig = parent._content.pop(key)  # type: ignore[union-attr, assignment]
    child._set_parent(None)
    return child


def give_child(parent: DictConfig, key: str, child: DictConfig) -> None:
    """Put a section into a configuration, before all others, as it is; from another one it is gone in part."""
    parent.__dict__["_content"] = {key: child, **parent._content}  # type: ignore[dict-item]
    child._set_parent(parent)


def is_called_by_check() -> bool:
    """Whether the function that asks was called by a sweeper's check of a batch, which composes only to see it fail."""
    return sys._getframe(2).f_code is Sweeper.validate_batch_is_legal.__code__


def failure(result: JobReturn) -> Any:
    """The exception of a job that failed, or None; its public property raises it, and prints the overrides."""
    return result._return_value


def interpolation(parent: DictConfig | ListConfig, key: Any) -> str | None:
    """A value as it is written, if it is an interpolation, not resolved."""
    return str(parent._get_node(key)._value()) if OmegaConf.is_interpolation(parent, key) else None  # type: ignore[union-attr]


def _late(name: str) -> Any:
    """An attribute that is made when it is asked for."""

    def get(result: "ListedJobReturn") -> Any:
        if name not in result.made and result.make is not None:
            result.made = {**result.make(), **result.made}
        return result.made.get(name)

    def set_(result: "ListedJobReturn", value: Any) -> None:
        result.made[name] = value

    return property(get, set_)


class ListedJobReturn(JobReturn):
    """The result of a job whose failure the launcher has listed: Hydra's own prints the overrides once more.

    Its configurations are made when somebody asks for them, which for thousands of jobs hardly anybody does.
    """

    overrides, cfg, hydra_cfg, working_dir = map(_late, ("overrides", "cfg", "hydra_cfg", "working_dir"))

    def __init__(self, make: Callable[[], dict[str, Any]]) -> None:
        """``make`` gives ``overrides``, ``cfg``, ``hydra_cfg`` and ``working_dir``."""
        self.make: Callable[[], dict[str, Any]] | None = None
        self.made: dict[str, Any] = {}
        super().__init__()
        self.make, self.made = make, {}

    @property
    def return_value(self) -> Any:
        """What the task function returned.

        Raises:
            Exception: what it raised.
        """
        with redirect_stderr(io.StringIO()):
            return super().return_value

    @return_value.setter
    def return_value(self, value: Any) -> None:
        self._return_value = value

    def __getstate__(self) -> Any:
        """All of it, made."""
        if self.make is not None:
            self.made, self.make = {**self.make(), **self.made}, None
        return super().__getstate__()
