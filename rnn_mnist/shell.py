"""What every command has in common at its edge with the shell: errors, interruption, pipes and encoding.

Nothing that takes time to import is imported here, so that Ctrl-C is met from the start.
"""

import io
import os
import sys
from collections.abc import Callable

from rnn_mnist.errors import ExpectedError


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
