"""The sweeper's options, each declared once: Hydra's configuration, checked values and the documentation's table."""

import contextlib
import difflib
import importlib.util
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.errors import CompactHydraException


class ResolveError(CompactHydraException):
    """What its user can act on: an option, a grid or a plan that cannot be used; the message is one line."""


def _option(default: Any, check: Callable[[Any], Any], description: str) -> Any:
    """A field of :class:`Options`.

    Args:
        default: as Hydra's configuration has it.
        check: from what Hydra hands over to the value that the sweeper works with; a ``ValueError`` says what is
            allowed.
        description: for the documentation, in Markdown.
    """
    return field(metadata={"default": default, "check": check, "description": description})


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


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


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

    params: Mapping[str, Any] = _option(
        None, _grid, "The grid, as for Hydra's own sweeper. What it says of the seed does not count."
    )
    margin: float | None = _option(
        None,
        _margin,
        "The largest difference that does not matter, in the unit of `measure`. Two settings that surely differ by "
        "less are *equivalent*, and need no more seeds. `null`: nothing is called equivalent but what gives the very "
        "same values.",
    )
    max_seeds: int = _option(30, lambda value: _whole(value, 2), "The most seeds that a setting gets.")
    looks: int | tuple[int, ...] = _option(
        6,
        _looks,
        "When to look: a list of numbers of seeds, the last of which is `max_seeds`; or how many looks, from 5 seeds "
        "to `max_seeds`, further apart as they grow (6 looks up to 30: 5, 8, 12, 17, 23, 30).",
    )
    alpha: float = _option(
        0.05,
        lambda value: _real(value, "a number between 0 and 0.5", 0, 0.5),
        "The chance that anything is called better or worse that is equal: over all comparisons and all looks "
        "together. The same for what is called equivalent and differs by the margin or more.",
    )
    seed_key: str = _option("seed", _key, "The key that makes one run a repetition of another.")
    first_seed: int = _option(0, lambda value: _whole(value, 0), "The first seed; the others follow it.")
    reference: Mapping[str, Any] = _option(
        None,
        _references,
        "What the levels of a key are compared with, such as `{model.num_layers: 2}`. Else the value that the key has "
        "in the application's configuration, if that is among its levels; else its first level.",
    )
    measure: str | None = _option(
        None,
        check_function,
        "Dotted path of a function from the directory of a run to a number. NaN says that the run failed by its own "
        "doing (it diverged, say), which counts against its setting; an exception says that there is no result, for "
        "whatever reason, which counts for nothing. `null`: what the job returned; one that raised has failed.",
    )
    unit: str = _option("", _text, "Of a difference, for the sentences: `points`, `s`.")
    higher_is_better: bool = _option(
        default=True, check=_flag, description="Whether a higher number is the better one."
    )


def _configuration_field(entry: Any) -> tuple[str, Any, Any]:
    return (entry.name, Any, field(default=entry.metadata["default"]))


ResolveSweeperConf = make_dataclass(
    "ResolveSweeperConf",
    [
        ("_target_", str, field(default="hydra_plugins.resolve_sweeper.sweeper.ResolveSweeper")),
        *map(_configuration_field, fields(Options)),
    ],
    namespace={
        "__module__": __name__,
        "__doc__": "``hydra.sweeper`` with ``hydra/sweeper=resolve``: any value, for :func:`checked_options`.",
    },
)


def checked_options(given: Mapping[str, Any]) -> Options:
    """The options as Hydra hands them over, checked.

    Raises:
        ResolveError: if one of them cannot be used, or is none, or two do not go together.
    """
    checks = {entry.name: entry.metadata["check"] for entry in fields(Options)}
    checked = {}
    for name, value in given.items():
        if name not in checks:
            meant = next(iter(difflib.get_close_matches(name, checks, n=1)), None)
            raise ResolveError(
                f"hydra.sweeper.{name}={_spelled(value)}: no such option"
                f"{f' (did you mean {meant}?)' if meant else ''}; there are {', '.join(checks)}"
            )
        try:
            checked[name] = checks[name](value)
        except ValueError as error:
            raise ResolveError(f"hydra.sweeper.{name}={_spelled(value)}: must be {error}") from None
    options = Options(**checked)
    if isinstance(options.looks, tuple) and options.looks[-1] != options.max_seeds:
        raise ResolveError(
            f"hydra.sweeper.looks={_spelled(list(options.looks))}: the last must be hydra.sweeper.max_seeds "
            f"({options.max_seeds})"
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
    rows = []
    for entry in fields(Options):
        default = entry.metadata["default"]
        written = default if isinstance(default, str) and default else json.dumps(default)
        rows.append(f"| `{entry.name}` | `{written}` | {entry.metadata['description']} |")
    return "\n".join(["| option | default | |", "| --- | --- | --- |", *rows])


def register_options() -> None:
    """Make the options known to Hydra, for ``hydra/sweeper/resolve.yaml`` here or in an application's own folder."""
    group, name, store = "hydra/sweeper", "resolve_options", ConfigStore.instance()
    try:
        known = store.list(group)
    except OSError:
        known = []
    if f"{name}.yaml" not in known:  # Hydra runs a plugin that the app has imported a second time
        store.store(group=group, name=name, node=ResolveSweeperConf, provider="resolve_sweeper")
