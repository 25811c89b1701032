"""``rnn-mnist train``: the same as ``python -m rnn_mnist.train``."""

import sys
from collections.abc import Sequence

from rnn_mnist.train import main as train


def main(arguments: Sequence[str]) -> None:
    """Hydra reads the process's own command line: it is given one without the command's name."""
    # Hydra registers tab completion for what stands first, and calls it that in messages.
    program = "rnn-mnist" if {"-sc", "--shell-completion"} & set(arguments) else "rnn-mnist train"
    sys.argv = [program, *arguments]
    train()
