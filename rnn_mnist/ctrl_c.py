"""Ctrl-C that is not lost: code that swallows a ``KeyboardInterrupt`` is interrupted again.

Extension modules clear whatever exception comes up in some of their callbacks, and ``import`` runs many of those: of
40 interruptions in the first second of a run two had no effect.
"""

import atexit
import os
import signal
import sys
from types import TracebackType

_AGAIN_SECONDS = 0.5


class CtrlC:
    """A context in which SIGINT raises ``KeyboardInterrupt`` until it is handled; others' handlers are left alone.

    Attributes:
        came: whether there was a SIGINT. What is raised afterwards may be another error that it turned into.
    """

    def __init__(self) -> None:
        """Nothing is installed before the context is entered."""
        self.came = False
        self._installed = False
        self._ended = False

    def __enter__(self) -> "CtrlC":
        """Install the handlers: in the main thread, and where Ctrl-C means what it means by default."""
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            try:
                signal.signal(signal.SIGINT, self._on_interrupt)
            except ValueError:  # not the main thread
                return self
            self._installed = True
            atexit.register(self._leave)  # first of all, so that it is called last
            self._show_unraisable, sys.unraisablehook = sys.unraisablehook, self._on_unraisable
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put back what was there."""
        if not self._installed:
            return
        if self.came and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def end(self) -> None:
        """Have the interpreter end without a word, and with 130."""
        self._ended = self.came
        # PyTorch logs statistics when the interpreter ends, and a second Ctrl-C would show where it then stood.
        atexit.register(_be_quiet)

    def _leave(self) -> None:
        if self._ended:
            # Where the interruption met code that an extension module runs, Python would end itself by SIGINT.
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(130)

    def _on_unraisable(self, unraisable: "sys.UnraisableHookArgs") -> None:
        if not is_interruption(unraisable.exc_value):  # which comes again
            self._show_unraisable(unraisable)

    def _on_interrupt(self, *_: object) -> None:
        self.came = True
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, self._on_alarm)
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS, _AGAIN_SECONDS)
        raise KeyboardInterrupt

    def _on_alarm(self, *_: object) -> None:
        # While it unwinds through except, finally and with, it is the exception being handled where this is called.
        if not is_interruption(sys.exc_info()[1]):
            raise KeyboardInterrupt


def _be_quiet() -> None:
    import logging

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable()


def is_interruption(error: BaseException | None) -> bool:
    """Whether an error is a ``KeyboardInterrupt``, or came up because of one or while one was handled."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False
