"""Pickles for other processes of one command; what lies on disk is never unpickled.

What has a name in a module is sent by that name, the main module's own functions and classes included: every process of
a sweep has the same one. Where it cannot have it (``python -c``), and for what has no name, it is sent by value.
"""

import importlib
import io
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

import cloudpickle
from cloudpickle import cloudpickle as internals

_MOST_STEPS = 10_000


class UnpicklableError(Exception):
    """Something that cannot be sent to another process, and where in an object it is."""


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def __init__(self, file: io.BytesIO, *, main_by_value: bool) -> None:
        super().__init__(file)
        self._main_by_value = main_by_value

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, CodeType):
            # Newer versions call every file <dynamic-code>; tracebacks are to show where an error is.
            make, arguments = internals._code_reduce(obj)
            return make, tuple(obj.co_filename if part == "<dynamic-code>" else part for part in arguments)
        if isinstance(obj, type | FunctionType) and not (self._main_by_value and obj.__module__ == "__main__"):
            wraps = _wraps_around(obj)
            if wraps == 0:
                return NotImplemented  # by its name
            if wraps is not None:
                return _named, (obj.__module__, obj.__qualname__, wraps)
        return super().reducer_override(obj)


def dumps(value: Any, *, main_by_value: bool = False) -> bytes:
    """``value`` as a pickle.

    Args:
        value: what is to be sent.
        main_by_value: whether the other process has no main module like this one's.

    Raises:
        Exception: of whatever kind the part of it that cannot be pickled raises.
    """
    buffer = io.BytesIO()
    _Pickler(buffer, main_by_value=main_by_value).dump(value)
    return buffer.getvalue()


def loads(content: bytes) -> Any:
    """The value of a pickle made by :func:`dumps` in a process of the same command."""
    return cloudpickle.loads(content)


def dumps_or_explain(value: Any, name: str, *, main_by_value: bool = False) -> bytes:
    """``value`` as a pickle, or an error that names the part of it that cannot be one.

    Raises:
        UnpicklableError: with ``name`` and the attributes and keys that lead to that part.
    """
    try:
        return dumps(value, main_by_value=main_by_value)
    except Exception as error:
        where = _culprit(value, name, main_by_value=main_by_value)
        raise UnpicklableError(f"{where} cannot be sent to another process ({error})") from error


def _culprit(value: Any, name: str, *, main_by_value: bool) -> str:
    """The innermost part of an object that cannot be pickled, as an expression, with its kind."""
    seen: set[int] = set()
    for _ in range(_MOST_STEPS):
        seen.add(id(value))
        for where, part in _parts(value):
            if id(part) in seen:
                continue
            try:
                dumps(part, main_by_value=main_by_value)
            except Exception:
                value, name = part, f"{name}{where}"
                break
            seen.add(id(part))
        else:
            break
    return f"{name} (a {type(value).__module__}.{type(value).__qualname__})".replace("builtins.", "")


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, FunctionType):
        for name in value.__code__.co_names:
            if name in value.__globals__:
                yield f": its global {name}", value.__globals__[name]
        for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=False):
            yield f": its variable {name}", cell.cell_contents
        return
    if isinstance(value, dict):
        yield from ((f"[{key!r}]", part) for key, part in value.items())
    elif isinstance(value, list | tuple | set | frozenset):
        yield from ((f"[{index}]", part) for index, part in enumerate(value))
    attributes = getattr(value, "__dict__", None)
    if isinstance(attributes, dict):
        yield from ((f".{key}", part) for key, part in attributes.items())


def _wraps_around(obj: Any) -> int | None:
    """How many decorators are around what has this object's name in its module; None if it is not what is inside."""
    try:
        found = _attribute(sys.modules[obj.__module__], obj.__qualname__)
    except (AttributeError, KeyError, TypeError):
        return None
    wraps = 0
    while found is not obj:
        found = getattr(found, "__wrapped__", None)
        wraps += 1
        if found is None or wraps > _MOST_STEPS:
            return None
    return wraps


def _named(module: str, qualified_name: str, wraps: int) -> Any:
    found = _attribute(importlib.import_module(module), qualified_name)
    for _ in range(wraps):
        found = found.__wrapped__
    return found


def _attribute(owner: Any, qualified_name: str) -> Any:
    for name in qualified_name.split("."):
        owner = getattr(owner, name)
    return owner
