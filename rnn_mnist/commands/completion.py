"""Tab completion: Hydra's own script asks the program itself what may come next on the command line."""

import os
from collections.abc import Collection, Sequence

from rnn_mnist.commands import train


def complete(arguments: Sequence[str], commands: Collection[str]) -> None:
    """Answer the shell's question, which it asks of the program and not of the command that is being typed.

    Args:
        arguments: ``-sc query=SHELL`` or ``-sc install=SHELL``; the line so far is in ``COMP_LINE``.
        commands: what the first word may be.
    """
    _, _, line = os.environ.get("COMP_LINE", "").lstrip().partition(" ")
    command, space, _ = line.lstrip().partition(" ")
    if not arguments[-1].startswith("query="):
        train.main(arguments)
    elif not space:
        print(" ".join(name for name in commands if name.startswith(command)))
    elif command == "train":
        # Hydra takes the first word for the program.
        os.environ["COMP_LINE"] = line.lstrip()
        train.main(arguments)
    # For the other commands, which take folders, the shell's own completion of file names is what is left.
