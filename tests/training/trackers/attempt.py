"""An attempt at a run without its training: what its loop tells the trackers.

    python -m tests.training.trackers.attempt TRACKER SWEEP_DIRECTORY RUN_ID ENDING EPOCHS_DONE EPOCH ...

Epochs that are done are told as those of a checkpoint; ENDING is ``completed``, ``failed`` or ``killed``.
"""

import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra_plugins.workstation_launcher import State
from rnn_mnist.catalogues.trackers import chosen_trackers
from rnn_mnist.training.trackers.tracker import Tracker
from rnn_mnist.training.trackers.tracking import Tracking


def row(epoch: int) -> dict[str, Any]:
    return {"epoch": epoch, "train_loss": 1 / epoch, "val_loss": None, "val_accuracy": epoch / 100}


def main(tracker: str, sweep: str, run_id: str, ending: str, done: int, *epochs: int) -> None:
    directory = Path(sweep) / f"run__{run_id}"
    directory.mkdir(parents=True, exist_ok=True)
    manifest = {"run_id": run_id, "setting_id": "s" * 12, "config": {"seed": 0, "model": {"sizes": [1, 2], "x": None}}}
    written = threading.Event()
    (spec,) = chosen_trackers(tracker)
    module, _, name = spec.tracker.rpartition(".")
    kind = getattr(importlib.import_module(module), name)
    write = kind.epoch

    def epoch(self: Tracker, number: int, figures: Mapping[str, float]) -> None:
        write(self, number, figures)
        if number == epochs[-1]:
            written.set()

    if ending == "killed":
        kind.epoch = epoch
    tracking = Tracking([spec])
    tracking.begin(directory, manifest, [row(number) for number in range(1, done + 1)])
    for number in epochs:
        tracking.epoch(row(number))
    if ending == "killed":
        written.wait()
        time.sleep(1)  # W&B's own process writes it
        os.kill(os.getpid(), signal.SIGKILL)
    tracking.end(State(ending), {"test_accuracy": 0.5} if ending == "completed" else None, error=ending)


if __name__ == "__main__":
    words, numbers = sys.argv[1:5], map(int, sys.argv[5:])
    main(*words, *numbers)  # type: ignore[arg-type]
