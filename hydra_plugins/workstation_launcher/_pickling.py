"""Pickles for other processes: functions of a main module by value, and with the names of their files."""

import io
from types import CodeType
from typing import Any

import cloudpickle
from cloudpickle import cloudpickle as internals


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, CodeType):
            # Newer versions call every file <dynamic-code>; tracebacks are to show where an error is.
            make, arguments = internals._code_reduce(obj)
            return make, tuple(obj.co_filename if part == "<dynamic-code>" else part for part in arguments)
        return super().reducer_override(obj)


def dumps(value: Any) -> bytes:
    """``value`` as a pickle.

    Raises:
        Exception: of whatever kind the part of it that cannot be pickled raises.
    """
    buffer = io.BytesIO()
    _Pickler(buffer).dump(value)
    return buffer.getvalue()


def loads(content: bytes) -> Any:
    """The value of a pickle made by :func:`dumps`."""
    return cloudpickle.loads(content)
