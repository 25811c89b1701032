"""Files that others may have written or put there: read as data, from where they seem to be, up to a size.

What lies in the folder of a sweep may come from anywhere. Nothing here follows a link, waits for a pipe or a device,
or reads more than a record of ours can be.
"""

import contextlib
import errno
import json
import math
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

MOST_BYTES = 1 << 26
"""Larger files are no records: one of a sweep of 100,000 jobs has half of that."""

_DEEPEST = 64
_MOST_NAMES = 10_000


class NotPlainError(OSError):
    """Where a file should be is a link, a folder, a pipe, or something larger than any file of its kind."""


def open_plain(path: Path) -> BinaryIO:
    """A regular file, open for reading.

    Raises:
        NotPlainError: if it is anything else.
        OSError: if it is not there, or cannot be read.
    """
    # A pipe that nobody writes to must not hold its reader.
    flags = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotPlainError(error.errno, "a link, which is not followed", str(path)) from None
        if error.errno in (errno.ENXIO, errno.ENODEV):
            raise NotPlainError(error.errno, "not a file", str(path)) from None
        raise
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise NotPlainError(errno.EISDIR, "a folder", str(path))
        if not stat.S_ISREG(mode):
            raise NotPlainError(errno.EINVAL, "not a file", str(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_plain(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """The content of a regular file.

    Raises:
        NotPlainError: if it is anything else, or larger than ``most_bytes``.
        OSError: if it is not there, or cannot be read.
    """
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        content = file.read(most_bytes + 1) if size <= most_bytes else b""
    if size > most_bytes or len(content) > most_bytes:
        raise NotPlainError(errno.EFBIG, f"larger than the {most_bytes:,} bytes that it may have", str(path))
    return content


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object whose numbers are finite, whose texts can be written again, and which is not deeper than 64 levels.

    Raises:
        ValueError: if the file holds anything else.
        NotPlainError, OSError: as :func:`read_plain`.
    """
    raw = read_plain(path)
    try:
        content = json.loads(raw, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("not JSON of ours") from None
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    if raw.count(b"{") + raw.count(b"[") > _DEEPEST and _depth_exceeds(content, _DEEPEST):
        raise ValueError(f"deeper than {_DEEPEST} levels")
    if b"\\u" in raw:
        json.dumps(content, ensure_ascii=False).encode()  # half of a surrogate pair is a ValueError
    return content


def set_aside(path: Path) -> Path:
    """Rename what lies where a file of ours should, so that it can be written anew and nothing is lost.

    Returns:
        Its new name: ``status.json.damaged``, or one with a number where there is such already.

    Raises:
        OSError: if the folder cannot be written.
    """
    for number in range(1, _MOST_NAMES):
        aside = path.with_name(f"{path.name}.damaged" + (f"-{number}" if number > 1 else ""))
        if not os.path.lexists(aside):
            path.rename(aside)
            return aside
    raise FileExistsError(errno.EEXIST, "too many damaged ones beside it", str(path))


def is_inside(folder: Path, place: str) -> bool:
    """Whether a place in a folder is there and nowhere else: by way of no ``..``, and through no link."""
    try:
        relative = Path(place)
        if relative.is_absolute() or ".." in relative.parts:
            return False
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            (folder / relative).lstat()  # a name may be too long for any file
        return (folder / relative).resolve() == folder.resolve() / relative
    except (OSError, ValueError, RuntimeError):  # also a zero byte, or links in a ring
        return False


def leads_astray(folder: Path, place: str) -> bool:
    """Whether a link lies on the way to a place in a folder, although the place's name is one within it."""
    relative = Path(place)
    return not relative.is_absolute() and ".." not in relative.parts and not is_inside(folder, place)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large")
    return value


def _depth_exceeds(content: Any, most: int) -> bool:
    level = [content]
    for _ in range(most):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True
