"""Entry point: the command ``rnn-mnist``, also ``python -m rnn_mnist``.

rnn-mnist train -m model.num_layers=1,2,3
rnn-mnist report outputs/model.num_layers-1+2+3

A command's own module is imported when it is chosen, so that help costs nothing and analysis needs no PyTorch.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from rnn_mnist import shell

PROGRAM = "rnn-mnist"

COMMANDS = {
    "train": "train one run, or with -m a sweep of runs",
    "explain": "every tensor's shape in a configured model, and what each parameter does",
    "plot": "draw the figures of sweeps",
    "compare": "does a factor matter? effects with intervals, p-values and power",
    "report": "write one self-contained HTML file about sweeps",
    "runs": "list the runs of sweeps: state, accuracy, path, cause of failure",
    "status": "how a sweep stands: planned, done, failed, running",
    "replay": "does a run come out the same again? bit for bit, within rounding, or from which epoch on not",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (by default this process's); returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    return shell.run(lambda: _dispatch(given))


def leave() -> NoReturn:
    """The installed command itself: nothing follows it in its process."""
    shell.leave(main)


def _dispatch(given: list[str]) -> int | None:
    name, rest = (given[0], given[1:]) if given else ("--help", [])
    if name in ("--help", "-h", "help"):
        print(_help())
    elif name == "--version":
        print(version())
    elif name in ("--shell-completion", "-sc"):
        from rnn_mnist.commands.completion import complete

        complete(given, COMMANDS)
    elif name in COMMANDS:
        status: int | None = import_module(f"rnn_mnist.commands.{name}").main(rest)
        return status
    else:
        print(f"error: {name}: no such command; there are {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    return 0


def _help() -> str:
    commands = "\n".join(f"  {name:9} {line}" for name, line in COMMANDS.items())
    return f"""usage: {PROGRAM} COMMAND ...

What does each parameter of a recurrent network do? A sweep harness over PyTorch's modules on MNIST.

commands:
{commands}

{PROGRAM} COMMAND --help says more; {PROGRAM} --version says what it runs on.
Tab completion, for bash: eval "$({PROGRAM} train -sc install=bash)\""""


def version() -> str:
    """This package, PyTorch and Hydra, one a line, and the commit of a checkout."""
    from importlib import metadata  # 30 ms, in which Ctrl-C would not be met

    from rnn_mnist.runs.provenance import code_version

    code = code_version()
    commit = f" (commit {code.commit}{', with uncommitted changes' if code.dirty else ''})" if code.commit else ""
    return "\n".join(
        [
            f"{PROGRAM} {metadata.version('rnn-mnist')}{commit}",
            f"torch {metadata.version('torch')}",
            f"hydra-core {metadata.version('hydra-core')}",
        ]
    )


if __name__ == "__main__":
    leave()
