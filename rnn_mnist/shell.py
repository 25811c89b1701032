"""What every command has in common at its edge with the shell: errors, interruption, pipes, encoding and width."""

import io
import os
import sys
from collections.abc import Callable

from rich.console import Console

from rnn_mnist.errors import ExpectedError

# In columns; no row of a table is that long, so that one row of piped text is one line, for grep and cut.
_UNFOLDED = 10_000


def run(command: Callable[[], int | None]) -> int:
    """Run a command and return its exit code.

    What its user can act on (:class:`~rnn_mnist.errors.ExpectedError`, ``OSError``) is one line on standard error and
    1; Ctrl-C is 130; a reader that has gone (``| head``) is 0. A character that the output's encoding lacks becomes a
    question mark. Usage errors are argparse's own: 2.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        try:
            return command() or 0
        finally:
            # Here, where a reader that has gone can still be met, and not when the interpreter ends.
            sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whatever is still buffered has no reader either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ExpectedError as error:
        return fail(str(error))
    except OSError as error:
        return fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))


def fail(message: str) -> int:
    """Print ``error: ...`` as one line on standard error; 1, the exit code that goes with it."""
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return 1


class Output(Console):
    """Standard output for tables and marked-up text; what is piped is not folded to a width."""

    def __init__(self) -> None:
        """A terminal knows its own width."""
        super().__init__(width=None if sys.stdout.isatty() else _UNFOLDED)

    def on_broken_pipe(self) -> None:
        """Rich would end the process with 1; here :func:`run` decides."""
        raise BrokenPipeError
