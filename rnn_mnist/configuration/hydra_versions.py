"""What differs between the versions that this project runs under: Hydra 1.3 with OmegaConf 2.3, and 1.4 with 2.4."""

import inspect
from typing import Any

import hydra
from omegaconf import OmegaConf

# Hydra 1.3 wants to be told that its own defaults are meant, which 1.4 takes for granted.
VERSION_BASE: dict[str, Any] = {"version_base": "1.3"} if hydra.__version__.startswith("1.3") else {}

# Hydra 1.4 makes objects and loggers of a configuration only from what the application trusts.
_TRUSTED = ("colorlog.*", "hydra.*", "hydra_plugins.*", "logging.*", "optuna.*", "rnn_mnist.*")
MAIN: dict[str, Any] = VERSION_BASE or {"execution_whitelist": _TRUSTED}

# OmegaConf 2.4 calls it by a name that 2.3 has for another function.
register_resolver: Any = (
    OmegaConf.register_resolver
    if "replace" in inspect.signature(OmegaConf.register_resolver).parameters
    else OmegaConf.register_new_resolver
)
