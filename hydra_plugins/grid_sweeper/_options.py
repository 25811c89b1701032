"""The sweeper's options, each declared once: Hydra's configuration, checked values and the documentation's table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hydra.errors import CompactHydraException

from hydra_plugins.grid_sweeper._filter import Filter, FilterError
from hydra_plugins.workstation_launcher import checked, configuration_node, option, register_node, table_of


class GridError(CompactHydraException):
    """What its user can act on: an option or a grid that cannot be used; the message is one line."""


def _count(value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ValueError("null or a whole number, at least 1")
    return value


def _seed(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("a whole number, at least 0")
    return value


def _params(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError("a mapping of keys to what is swept over, such as {model.num_layers: '1,2,3'}")
    return {str(key): values for key, values in value.items()}


def _keys(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(key, str) and key for key in value):
        raise ValueError("a list of keys, such as [seed]")
    return tuple(value)


def _zip(value: Any) -> tuple[tuple[str, ...], ...]:
    allowed = "a list of lists of at least two keys, such as [[model.hidden_size,optimizer.lr]], each key once"
    if not isinstance(value, list | tuple):
        raise ValueError(allowed)
    groups = [value] if value and all(isinstance(entry, str) for entry in value) else value
    keys = [key for group in groups if isinstance(group, list | tuple) for key in group]
    if any(not isinstance(group, list | tuple) or len(group) < 2 for group in groups):
        raise ValueError(allowed)
    if not all(isinstance(key, str) for key in keys) or len(set(keys)) < len(keys):
        raise ValueError(allowed)
    return tuple(tuple(group) for group in groups)


def check_filter(value: Any) -> str | None:
    """The expression, or None.

    Raises:
        ValueError: saying what is allowed.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("null or an expression over keys, such as \"model == 'lstm' or model.num_layers < 3\"")
    try:
        return Filter(value).text
    except FilterError as error:
        raise ValueError(f"an expression over keys: {error}") from None


@dataclass(frozen=True, kw_only=True)
class Options:
    """The checked options."""

    max_batch_size: int | None = option(
        None, _count, "The most jobs that the launcher is given at once; `null`: all, as with Hydra's basic sweeper."
    )
    params: Mapping[str, Any] = option(
        None,
        _params,
        "What is swept over, by key, as for Hydra's basic sweeper. A key that the command line sets too is the command "
        "line's.",
    )
    zip: tuple[tuple[str, ...], ...] = option(
        [],
        _zip,
        "Lists of keys that go together, the first value of one with the first of the others, instead of each with "
        "each: `[[model.hidden_size,optimizer.lr]]`. They must have equally many values.",
    )
    filter: str | None = option(
        None,
        check_filter,
        "An expression; a combination for which it is false is dropped. Of keys, numbers, texts, `true`, `false`, "
        "`null`, comparisons, `in`, `and`, `or`, `not`, `+ - * / // %` and parentheses. A key that is not swept over "
        "has the value that the combination's configuration gives it.",
    )
    random: int | None = option(
        None,
        _count,
        "How many points are drawn of the combinations, none twice; keys may have an `interval`. `null`: all. A larger "
        "number with the same seed draws the same points first.",
    )
    random_seed: int = option(0, _seed, "What decides which points are drawn.")
    repeat_over: tuple[str, ...] = option(
        [], _keys, "With `random`: the keys of which every point gets all values, such as `[seed]`; others are drawn."
    )


GridSweeperConf = configuration_node(
    "GridSweeperConf", Options, "hydra_plugins.grid_sweeper.sweeper.GridSweeper", "hydra/sweeper=grid"
)


def checked_options(given: Mapping[str, Any]) -> Options:
    """The options as Hydra hands them over, checked.

    Raises:
        GridError: if one of them cannot be used, or is none.
    """
    return checked(Options, given, "hydra.sweeper", GridError, spelled)


def spelled(value: Any) -> str:
    """As Hydra reads it."""
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(spelled, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def options_table() -> str:
    """The table of the options in the documentation, in Markdown."""
    return table_of(Options)


def register_options() -> None:
    """Make the options known to Hydra, for ``hydra/sweeper/grid.yaml`` here or in an application's own folder."""
    register_node("hydra/sweeper", "grid_options", GridSweeperConf, "grid_sweeper")
