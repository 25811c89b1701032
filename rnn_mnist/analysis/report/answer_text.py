"""The answer as a terminal shows it, last of all."""

from textwrap import fill

import pandas as pd
from rich.console import Console

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.statistics.answer import Answer
from rnn_mnist.runs.record import State

_MOST_MISSING = 5


def print_answer(answer: Answer, console: Console) -> None:
    """Print the sentences of an answer, and the path of the best setting's best run."""
    console.print()
    for sentence in answer.sentences:
        # The first line hangs out, so that sentences of several lines can be told apart.
        text = fill(f"- {sentence}", console.width, subsequent_indent="  ", break_long_words=False)
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    if answer.best is not None:
        console.print(f"  {answer.best.directory}", markup=False, highlight=False, soft_wrap=True)


def missing_runs(runs: pd.DataFrame) -> list[str]:
    """Lines on the runs that are neither completed nor diverged.

    Returns:
        One on those that a search has pruned, and one on the others, with the first few of them and their causes.
    """
    pruned = runs["status"] == State.pruned
    lines = []
    if pruned.any():
        was = "was" if pruned.sum() == 1 else "were"
        lines = [
            f"{pruned.sum()} of {len(runs)} runs {was} pruned by the search (censored: neither results nor failures)."
        ]
    missing = runs[(runs["status"] != State.completed) & ~runs["diverged"] & ~pruned]
    if missing.empty:
        return lines
    lines += [f"{len(missing)} of {len(runs)} runs have no outcome and count for nothing:"]
    lines += [f"  {row['run']}: {row['error'] or row['status']}" for row in rows_of(missing.head(_MOST_MISSING))]
    if len(missing) > _MOST_MISSING:
        lines.append(f"  and {len(missing) - _MOST_MISSING} more")
    return lines
