"""The sweeper's options, each declared once: Hydra's configuration, checked values and the documentation's table."""

import contextlib
import importlib.util
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hydra.errors import CompactHydraException

from hydra_plugins.grid_sweeper._filter import Filter
from hydra_plugins.grid_sweeper._options import check_filter
from hydra_plugins.workstation_launcher import checked, configuration_node, flag, option, register_node, table_of


class ResolveError(CompactHydraException):
    """What its user can act on: an option, a grid or a plan that cannot be used; the message is one line."""


def _whole(value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"a whole number, at least {least}")
    return value


def _real(value: Any, what: str, low: float, high: float = math.inf) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low < value < high:
        raise ValueError(what)
    return float(value)


def _margin(value: Any) -> float | None:
    return None if value is None else _real(value, "null or a number above 0, in the measure's unit", 0)


def _looks(value: Any) -> int | tuple[int, ...]:
    allowed = "a number of looks, or a list of increasing numbers of seeds of which the first is at least 2"
    if isinstance(value, list | tuple):
        counts = [entry for entry in value if isinstance(entry, int) and not isinstance(entry, bool)]
        if not value or len(counts) < len(value) or counts != sorted(set(counts)) or counts[0] < 2:
            raise ValueError(allowed)
        return tuple(counts)
    try:
        return _whole(value, 1)
    except ValueError:
        raise ValueError(allowed) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def _key(value: Any) -> str:
    if not isinstance(value, str) or not value or set(value) & set("= ,"):
        raise ValueError("a key of the configuration")
    return value


def _references(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError("a mapping of swept keys to one of their levels, such as {model.num_layers: 2}")
    return {str(key): level for key, level in value.items()}


def _grid(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError("a mapping of keys to what is swept over, such as {model.num_layers: '1,2,3'}")
    return {str(key): values for key, values in value.items()}


def check_function(value: Any) -> str | None:
    """The dotted path of a function whose module is there; it is not imported, which may take time.

    Raises:
        ValueError: if there is no such module.
    """
    if value is None:
        return None
    module = value.rpartition(".")[0] if isinstance(value, str) else ""
    while module:
        with contextlib.suppress(ModuleNotFoundError):
            if importlib.util.find_spec(module) is not None:
                return str(value)
        module = module.rpartition(".")[0]
    raise ValueError("null or the dotted path of a function in a module that is there")


@dataclass(frozen=True, kw_only=True)
class Options:
    """The checked options."""

    params: Mapping[str, Any] = option(
        None, _grid, "The grid, as for Hydra's own sweeper. What it says of the seed does not count."
    )
    filter: str | None = option(
        None,
        check_filter,
        "An expression over the keys, as for `hydra/sweeper=grid`; a setting for which it is false is left out. "
        "Two levels are compared over the combinations of the other factors that both have.",
    )
    margin: float | None = option(
        None,
        _margin,
        "The largest difference that does not matter, in the unit of `measure`. Two settings that surely differ by "
        "less are *equivalent*, and need no more seeds. `null`: nothing is called equivalent but what gives the very "
        "same values.",
    )
    max_seeds: int = option(30, lambda value: _whole(value, 2), "The most seeds that a setting gets.")
    looks: int | tuple[int, ...] = option(
        6,
        _looks,
        "When to look: a list of numbers of seeds, the last of which is `max_seeds`; or how many looks, from 5 seeds "
        "to `max_seeds`, further apart as they grow (6 looks up to 30: 5, 8, 12, 17, 23, 30).",
    )
    alpha: float = option(
        0.05,
        lambda value: _real(value, "a number between 0 and 0.5", 0, 0.5),
        "The chance that anything is called better or worse that is equal: over all comparisons and all looks "
        "together. The same for what is called equivalent and differs by the margin or more.",
    )
    seed_key: str = option("seed", _key, "The key that makes one run a repetition of another.")
    first_seed: int = option(0, lambda value: _whole(value, 0), "The first seed; the others follow it.")
    reference: Mapping[str, Any] = option(
        None,
        _references,
        "What the levels of a key are compared with, such as `{model.num_layers: 2}`. Else the value that the key has "
        "in the application's configuration, if that is among its levels; else its first level.",
    )
    measure: str | None = option(
        None,
        check_function,
        "Dotted path of a function from the directory of a run to a number. NaN says that the run failed by its own "
        "doing (it diverged, say), which counts against its setting; an exception says that there is no result, for "
        "whatever reason, which counts for nothing. `null`: what the job returned; one that raised has failed.",
    )
    unit: str = option("", _text, "Of a difference, for the sentences: `points`, `s`.")
    higher_is_better: bool = option(default=True, check=flag, description="Whether a higher number is the better one.")


ResolveSweeperConf = configuration_node(
    "ResolveSweeperConf", Options, "hydra_plugins.resolve_sweeper.sweeper.ResolveSweeper", "hydra/sweeper=resolve"
)


def checked_options(given: Mapping[str, Any]) -> Options:
    """The options as Hydra hands them over, checked.

    Raises:
        ResolveError: if one of them cannot be used, or is none, or two do not go together.
    """
    options = checked(Options, given, "hydra.sweeper", ResolveError, _spelled)
    if isinstance(options.looks, tuple) and options.looks[-1] != options.max_seeds:
        raise ResolveError(
            f"hydra.sweeper.looks={_spelled(list(options.looks))}: the last must be hydra.sweeper.max_seeds "
            f"({options.max_seeds})"
        )
    if options.filter is not None and options.seed_key.lstrip("+") in Filter(options.filter).names:
        raise ResolveError(
            f"hydra.sweeper.filter={options.filter}: must not name {options.seed_key}, which the sweeper chooses"
        )
    return options


def _spelled(value: Any) -> str:
    """As Hydra reads it."""
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def options_table() -> str:
    """The table of the options in the documentation, in Markdown."""
    return table_of(Options)


def register_options() -> None:
    """Make the options known to Hydra, for ``hydra/sweeper/resolve.yaml`` here or in an application's own folder."""
    register_node("hydra/sweeper", "resolve_options", ResolveSweeperConf, "resolve_sweeper")
