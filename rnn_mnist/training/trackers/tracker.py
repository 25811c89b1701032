"""What a tracker is: a few methods that are called in a run's process, in a thread beside the one that trains."""

import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra_plugins.workstation_launcher import State
from rnn_mnist.configuration.change import written


@dataclass(frozen=True)
class TrackedRun:
    """A run as trackers are told of it.

    Attributes:
        run_id: 12 hex digits, the same in every attempt; two runs with one id are the same run.
        name: of its directory, readable.
        directory: of its files; a tracker may write there, under its own name.
        sweep: the name of its sweep.
        sweep_directory: the folder of the sweep's runs, which other processes may write at the same time.
        parameters: the effective configuration under dotted keys, as JSON has it.
        tags: ``sweep``, ``setting_id``, ``run_id``, and where they are known ``commit``, ``device`` and ``host``.
        epochs_done: how many its checkpoint has, which this attempt does not train again.
    """

    run_id: str
    name: str
    directory: Path
    sweep: str
    sweep_directory: Path
    parameters: Mapping[str, Any]
    tags: Mapping[str, str]
    epochs_done: int


class Tracker(ABC):
    """Writes a run somewhere. It is made without arguments, and all of its methods are called from one thread.

    What it raises is said once, as a warning, and does the run no harm; the call is made again when there is more to
    write. What takes long holds up nothing but the run's end, and that for a while only.
    """

    @abstractmethod
    def begin(self, run: TrackedRun) -> Collection[int]:
        """Find what an earlier attempt has written of this run, or begin to write it.

        Returns:
            The epochs (from 1) that are there and stay. If there are any beyond ``run.epochs_done``, the run is trained
            anew: they go, with all others, or, where nothing can be removed, count as those of this attempt.
        """

    @abstractmethod
    def epoch(self, number: int, figures: Mapping[str, float]) -> None:
        """Write an epoch (from 1, ascending) that is not there: the columns of ``metrics.csv`` that have a value."""

    @abstractmethod
    def end(self, state: State, figures: Mapping[str, float], error: str | None) -> None:
        """Write how the attempt ended, flush and close; the process may end at once after this.

        Args:
            state: completed, failed, interrupted or pruned. A process that is killed calls nothing.
            figures: the numbers of ``result.json`` as ``final/<name>``; empty unless completed.
            error: why it failed.
        """

    def figures(self, sweep_directory: Path, paths: Sequence[Path]) -> None:  # noqa: B027 - few have a place for it
        """Keep the drawn figures (PNG) of a sweep in place of earlier ones, where a tracker has a place for such.

        It is called alone, at the sweep's end and in the sweep's own process.
        """


def as_text(value: Any) -> str:
    """The value of a parameter as the command line has it, for trackers that keep texts."""
    return json.dumps(value) if isinstance(value, list) else written(value)
