"""The level that a factor's others are compared with."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pandas as pd
from omegaconf import OmegaConf

from rnn_mnist.analysis.reading.factors import FactorError, levels_of
from rnn_mnist.analysis.reading.levels import format_level, plain
from rnn_mnist.catalogues.keys import DeclaredKey
from rnn_mnist.configuration.compose import CONFIG_DIR
from rnn_mnist.configuration.schema import SELECTED_BY, SELECTORS, declared_keys


def reference_level(runs: pd.DataFrame, factor: str, asked: Mapping[str, Any]) -> Any:
    """The reference of a factor: the one asked for, else the configuration's default if it was tried, else the first.

    Raises:
        FactorError: if the one asked for was not tried, naming those that were.
    """
    levels = levels_of(runs, factor)
    if factor not in asked:
        default = _default(runs, factor)
        return next((level for level in levels if _same(level, default)), levels[0])
    wanted = plain(asked[factor])
    for level in levels:
        if _same(level, wanted) or format_level(level) == format_level(wanted):
            return level
    there = ", ".join(format_level(level) for level in levels)
    raise FactorError(f"{factor}={format_level(wanted)}: no completed run has it; there are {there}")


def _default(runs: pd.DataFrame, factor: str) -> Any:
    if factor in SELECTED_BY:
        return _default_choices().get(SELECTED_BY[factor])
    by_option = _declared_by_option(factor)
    if "" in by_option:
        return by_option[""].default
    group = factor.partition(".")[0]
    chosen = runs[f"{group}.{SELECTORS[group]}"].mode()
    option = chosen.iloc[0] if len(chosen) else None
    return by_option[option].default if option in by_option else None


@lru_cache(maxsize=256)
def _declared_by_option(key: str) -> dict[str, DeclaredKey]:
    return declared_keys().get(key, {})


@lru_cache(maxsize=1)
def _default_choices() -> dict[str, str]:
    """The option of each group in the defaults list of ``conf/config.yaml``."""
    entries = OmegaConf.to_container(OmegaConf.load(CONFIG_DIR / "config.yaml").defaults)
    assert isinstance(entries, list)
    return {group: str(option) for entry in entries if isinstance(entry, dict) for group, option in entry.items()}


def _same(level: Any, default: Any) -> bool:
    # True == 1 in Python, and not in a configuration; an enumeration is its name.
    return isinstance(level, bool) == isinstance(default, bool) and (level == default or str(level) == str(default))
