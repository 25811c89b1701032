"""The levels of a factor: in what order they stand, and how they are written."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from rnn_mnist.configuration.change import written
from rnn_mnist.configuration.schema import declared


def plain(value: Any) -> Any:
    """A level as a Python object: numpy's scalars unwrapped, any missing value as None."""
    if hasattr(value, "item"):
        value = value.item()
    return None if value is None or value != value else value


def typed(level: Any) -> tuple[bool, Any]:
    """What tells a level from others: ``True == 1`` in Python, and not in a configuration."""
    return isinstance(level, bool), level


def order_levels(key: str, values: Iterable[Any]) -> list[Any]:
    """The distinct values of a factor: numbers ascending, names as the schema lists them, None last."""
    about = declared(key)
    names = about.choices if about else ()

    def place(value: Any) -> tuple[int, float, str]:
        if value is None:
            return 3, 0.0, ""
        if isinstance(value, bool | int | float):
            return 0, float(value), ""
        return 1, float(names.index(value) if value in names else len(names)), str(value)

    return sorted(dict.fromkeys(plain(value) for value in values), key=place)


def format_level(value: Any) -> str:
    """A level as it is typed on the command line: ``true``, ``null``, ``0.003``."""
    value = plain(value)
    return f"{value:g}" if isinstance(value, float) else written(value)


def format_levels(levels: Iterable[tuple[str, Any]], among: Sequence[str] | None = None) -> str:
    """Keys and levels in words: ``num_layers=2, lr=0.01``, or under their whole keys if ``among`` is None.

    Args:
        levels: the pairs.
        among: the keys that the short ones have to be told apart from.
    """
    return ", ".join(
        f"{key if among is None else short_name(key, among)}={format_level(value)}" for key, value in levels
    )


def parse_level(text: str) -> Any:
    """A level from how it is typed: ``3``, ``0.003``, ``true``, ``null``, else a name."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def key_label(key: str) -> str:
    """What an axis calls a key: ``learning rate``, ``max shift (pixels)``."""
    about = declared(key)
    return about.label if about is not None else short_name(key).replace("_", " ")


def short_name(key: str, among: Iterable[str] = ()) -> str:
    """The last part of a key (``num_layers``), or its last two where another of ``among`` ends alike."""
    last = key.rpartition(".")[2]
    alike = [other for other in among if other != key and other.rpartition(".")[2] == last]
    # "name" and "kind" say nothing without their group.
    if last in ("name", "kind"):
        return key.rpartition(".")[0].rpartition(".")[2]
    return ".".join(key.split(".")[-2:]) if alike else last
