"""What the entries of a JSON record may be, and the check of a whole record against a table of them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_LARGEST = 2**63


@dataclass(frozen=True)
class Kind:
    """What a value may be: in words, and as a test of it."""

    name: str
    holds: Callable[[Any], bool]


TEXT = Kind("a text", lambda value: isinstance(value, str))
WHOLE = Kind("a whole number from 0", lambda value: type(value) is int and 0 <= value < _LARGEST)
NUMBER = Kind("a number", lambda value: _is_number(value))
SECONDS = Kind("a number from 0", lambda value: _is_number(value) and value >= 0)
FRACTION = Kind("a number from 0 to 1", lambda value: _is_number(value) and 0 <= value <= 1)
FLAG = Kind("true or false", lambda value: type(value) is bool)
MAPPING = Kind("an object", lambda value: isinstance(value, dict))
PROCESS = Kind("the number of a process", lambda value: type(value) is int and 0 < value < 2**31)


def optional(kind: Kind) -> Kind:
    """The kind, or null."""
    return Kind(f"{kind.name}, or null", lambda value: value is None or kind.holds(value))


def list_of(kind: Kind) -> Kind:
    """A list of values of the kind."""
    return Kind(f"a list: {kind.name} each", lambda value: isinstance(value, list) and all(map(kind.holds, value)))


def mapping_of(kind: Kind) -> Kind:
    """An object all of whose values are of the kind."""
    return Kind(
        f"an object: {kind.name} each", lambda value: isinstance(value, dict) and all(map(kind.holds, value.values()))
    )


def record(kinds: Mapping[str, Kind], *, needed: tuple[str, ...] = ()) -> Kind:
    """An object whose entries are of these kinds; those that are not ``needed`` may be missing."""
    return Kind(
        f"an object with {' and '.join(needed or kinds)}",
        lambda value: isinstance(value, dict) and all(map(value.__contains__, needed)) and not misfit(value, kinds),
    )


def misfit(content: Mapping[str, Any], kinds: Mapping[str, Kind]) -> str | None:
    """The first entry that is not of its kind, in a few words; None if all are. Entries may be missing, or be more."""
    for key, kind in kinds.items():
        if key in content and not kind.holds(content[key]):
            shown = repr(content[key])
            return f"{key} is {shown if len(shown) <= 60 else f'{shown[:57]}...'}, not {kind.name}"
    return None


def _is_number(value: Any) -> bool:
    if type(value) is float:
        return math.isfinite(value)
    return type(value) is int and abs(value) < _LARGEST
