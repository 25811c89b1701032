"""Where the numbers of a figure come from: the small line below each."""

from dataclasses import dataclass

import pandas as pd

from rnn_mnist.runs.record import State


@dataclass(frozen=True)
class Source:
    """What a figure's footer says.

    Attributes:
        sweeps: the sweeps' names.
        completed, failed, unfinished, pruned: runs; a search has ended the last ones early, and they are no results.
        commits: of the code that made them, 12 digits each.
    """

    sweeps: tuple[str, ...]
    completed: int
    failed: int
    unfinished: int
    commits: tuple[str, ...]
    pruned: int = 0

    def text(self, *notes: str) -> str:
        """One line: sweep, numbers of runs, what the marks mean, commit."""
        counts = [f"{self.completed} completed runs"]
        if self.failed:
            counts.append(f"{self.failed} failed")
        if self.unfinished:
            counts.append(f"{self.unfinished} unfinished")
        if self.pruned:
            counts.append(f"{self.pruned} pruned")
        shown = ", ".join(self.commits[:3]) + (" …" if len(self.commits) > 3 else "")
        code = f"commit {shown}" if self.commits else "code of an installed package"
        return " · ".join([", ".join(self.sweeps), ", ".join(counts), *(note for note in notes if note), code])


def find_source(runs: pd.DataFrame) -> Source:
    """The source of a table of runs."""
    status = runs["status"]
    commits = dict.fromkeys(str(commit)[:12] for commit in runs["commit"].dropna())
    return Source(
        sweeps=tuple(dict.fromkeys(str(sweep) for sweep in runs["sweep"])),
        completed=int((status == State.completed).sum()),
        failed=int((status == State.failed).sum()),
        unfinished=int(status.isin([State.running, State.interrupted, State.queued]).sum()),
        commits=tuple(commits),
        pruned=int((status == State.pruned).sum()),
    )
