"""Standard output and error of a sweep's own process: whatever becomes of them, the sweep goes on.

A reader may go (``| head``), a terminal may be closed, a disk may be full, an encoding may lack a character.
"""

import io
import logging
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich import get_console
from rich.console import Console

LONGEST_LABEL = 400
"""Characters of a text of somebody else's that are shown in a line."""

_USUAL_WIDTH = 80
_NARROWEST, _LOWEST = 40, 6
"""Columns and lines of a terminal, below which nothing that moves fits on it."""


def printable(text: str, longest: int = LONGEST_LABEL) -> str:
    r"""A text as part of one line: ``\n`` and ``\x1b`` in place of control characters, and its end left out."""
    if len(text) > longest:
        text = f"{text[:longest]} ..."
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def console() -> Console:
    """Rich's console, with room on it: with ``COLUMNS=0`` it would print nothing."""
    found = get_console()
    if found.width < 1:
        found.width = _USUAL_WIDTH
    return found


def can_show_live() -> bool:
    """Whether something that is drawn again and again can be seen: on a terminal that can move its cursor."""
    there = console()
    return (
        there.is_interactive  # TERM=dumb is not
        and bool(os.environ.get("TERM"))
        and there.file.isatty()  # FORCE_COLOR makes a file a terminal in Rich's eyes
        and there.width >= _NARROWEST
        and there.height >= _LOWEST
    )


def accept_every_character() -> None:
    """What the encoding of a stream lacks is shown as a question mark instead of being an error."""
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        # In UTF-8, surrogateescape lacks none but gives the bytes of a file's name back as they were.
        if stream.errors == "strict" or (stream.errors == "surrogateescape" and stream.encoding.lower() != "utf-8"):
            stream.reconfigure(errors="replace")


def let_go() -> None:
    """Let a standard stream that nobody can read any more write to nowhere: its reader or its terminal has gone."""
    for stream in (sys.__stdout__, sys.__stderr__):
        try:
            if stream is not None and _is_gone(stream.fileno()):
                _silence(stream.fileno())
        except (OSError, ValueError):  # closed, or no file
            continue


def settle() -> None:
    """Write what is still buffered, or drop it where that cannot be: it would fail the next who prints."""
    let_go()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            _drop_buffer(stream)


@contextmanager
def contained() -> Iterator[None]:
    """What is shown in here cannot end the program, whatever showing it raises."""
    try:
        yield
    except (Exception, SystemExit):  # Rich leaves the program when a reader has gone
        settle()


def guard_loggers() -> None:
    """Keep the handlers that there are now from printing a traceback for each line that they cannot write."""
    loggers = [logging.getLogger(), *logging.getLogger().manager.loggerDict.values()]
    for logger in loggers:
        for handler in getattr(logger, "handlers", ()):
            if isinstance(handler, logging.StreamHandler) and not isinstance(handler.handleError, _Guard):
                handler.handleError = _Guard(handler.handleError)  # type: ignore[method-assign]


class _Guard:
    """A handler's way to deal with its errors, but for those of writing."""

    def __init__(self, others: Any) -> None:
        self._others, self._process = others, os.getpid()

    def __call__(self, record: logging.LogRecord) -> None:
        if isinstance(sys.exc_info()[1], OSError) and os.getpid() == self._process:  # a job's are its own
            settle()
        else:
            self._others(record)


def _is_gone(descriptor: int) -> bool:
    """Writing to a pipe without a reader would fail with EPIPE, to a terminal that is gone with EIO."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _silence(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, descriptor)
    finally:
        os.close(nowhere)


def _drop_buffer(stream: Any) -> None:
    """A full disk, say; the interpreter would try once more as it ends, and end with that as its status."""
    try:
        kept = os.dup(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return
    try:
        _silence(stream.fileno())
        stream.flush()
    except (OSError, ValueError):
        pass
    finally:
        os.dup2(kept, stream.fileno())
        os.close(kept)
