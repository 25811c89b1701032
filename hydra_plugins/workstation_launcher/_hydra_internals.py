"""What the launcher uses of Hydra and OmegaConf that is not their public interface, and nothing else does.

Tested with Hydra 1.3.8 (OmegaConf 2.3.1) and 1.4.0rc3 (OmegaConf 2.4.1rc1). With another version, look here first.
"""

import io
from collections.abc import Sequence
from contextlib import redirect_stderr
from typing import Any

from hydra._internal import config_loader_impl
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.types import Override
from hydra.core.utils import JobReturn
from omegaconf import DictConfig, ListConfig, OmegaConf

__all__ = ["ConfigLoaderImpl", "ListedJobReturn", "apply_overrides", "failure", "interpolation", "set_override_dirname"]


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


def failure(result: JobReturn) -> Any:
    """The exception of a job that failed, or None; its public property raises it, and prints the overrides."""
    return result._return_value


def interpolation(parent: DictConfig | ListConfig, key: Any) -> str | None:
    """A value as it is written, if it is an interpolation, not resolved."""
    return str(parent._get_node(key)._value()) if OmegaConf.is_interpolation(parent, key) else None  # type: ignore[union-attr]


class ListedJobReturn(JobReturn):
    """The result of a job whose failure the launcher has listed: Hydra's own prints the overrides once more."""

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
