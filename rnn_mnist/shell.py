"""What every command has in common at its edge with the shell: errors, interruption, pipes and encoding.

Nothing that takes time to import is imported here, so that Ctrl-C is met from the start.
"""

import atexit
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from rnn_mnist.characters import accept_every_character
from rnn_mnist.ctrl_c import CtrlC, is_interruption
from rnn_mnist.errors import ExpectedError


def run(command: Callable[[], int | None], *, interrupted: str = "interrupted") -> int:
    """Run a command and return its exit code.

    What its user can act on (:class:`~rnn_mnist.errors.ExpectedError`, ``OSError``) is one line on standard error and
    1; Ctrl-C is the line ``interrupted`` and 130, whatever it turned into on its way; a reader that has gone
    (``| head``) is 0. A character that the output's encoding lacks becomes its nearest in ASCII. Usage errors are
    argparse's own: 2.
    """
    accept_every_character(sys.stdout, sys.stderr)
    ctrl_c = CtrlC()
    try:
        with ctrl_c:
            try:
                return command() or 0
            finally:
                # Here, where a reader that has gone can still be met, and not when the interpreter ends.
                sys.stdout.flush()
    except KeyboardInterrupt:
        return _end_interrupted(ctrl_c, interrupted)
    except BrokenPipeError:
        # Whatever is still buffered has no reader either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except BaseException as error:
        if ctrl_c.came and is_interruption(error):
            return _end_interrupted(ctrl_c, interrupted)
        if isinstance(error, ExpectedError):
            return fail(str(error))
        if isinstance(error, OSError):
            return fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        raise


def leave(command: Callable[[], int | None]) -> NoReturn:
    """Run a command as the last thing that this process does, and end it with the exit code.

    Everything that an interpreter does at its end is done but for taking itself down, which with PyTorch loaded takes
    as long as training a small network for an epoch.
    """
    try:
        code = command()
    except SystemExit as exit_:
        if not isinstance(exit_.code, int | None):
            raise  # a message to print
        code = exit_.code
    # There is no other way to have them run. The first ends pools of processes too (concurrent.futures, joblib), which
    # would outlive this process, and hold its standard output open.
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001
    atexit._run_exitfuncs()  # noqa: SLF001
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # closed, or its reader has gone
            stream.flush()
    os._exit(code or 0)


def fail(message: str) -> int:
    """Print ``error: ...`` as one line on standard error; 1, the exit code that goes with it."""
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return 1


def _end_interrupted(ctrl_c: CtrlC, line: str) -> int:
    print(line, file=sys.stderr)
    ctrl_c.end()
    return 130
