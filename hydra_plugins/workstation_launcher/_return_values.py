"""What a job returned, as it is kept: JSON where it comes back the same, else a text."""

import math
from typing import Any

_MOST_BITS = 4096
_MOST_LEVELS = 32  # lists in lists
_LONGEST_TEXT = 1000  # characters


def survives_json(value: Any) -> bool:
    """Whether a value comes back the same from JSON, and is one that is read again: not too deep."""
    return _survives(value, _MOST_LEVELS)


def as_text(value: Any) -> str:
    """A value as a text for people, of at most 1000 characters."""
    try:
        text = repr(value)
    except Exception as error:
        text = f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"
    return text.encode(errors="backslashreplace").decode()[:_LONGEST_TEXT]


def _survives(value: Any, levels: int) -> bool:
    if levels == 0:
        return False
    if isinstance(value, float):
        return type(value) is float and math.isfinite(value)
    if isinstance(value, list):
        return type(value) is list and all(_survives(inner, levels - 1) for inner in value)
    if isinstance(value, dict):
        return type(value) is dict and all(
            type(key) is str and _survives(inner, levels - 1) for key, inner in value.items()
        )
    if isinstance(value, str):
        return type(value) is str and _is_encodable(value)
    # Python itself refuses to write or read longer ones in decimals.
    return value is None or type(value) is bool or (type(value) is int and value.bit_length() < _MOST_BITS)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True
