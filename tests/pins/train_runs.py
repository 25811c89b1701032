"""Trains runs with whichever ``rnn_mnist`` is first on the path; a child process of ``test_same_bits``.

    python train_runs.py <checkout> <module of compose_checked> <module of train_run> <runs.json>

The file holds ``{name: {"overrides": [...], "interrupt": bool}}``; each is trained in a folder of its name here. A run
that is to be interrupted gets a Ctrl-C once its second checkpoint is written, and is then trained again.
"""

import importlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def interrupted_after_checkpoint(number: int) -> Iterator[None]:
    """Ctrl-C comes as soon as the checkpoint of that number (from 1) has been written."""
    written, replace = 0, os.replace

    def replace_and_interrupt(source: Any, target: Any, **options: Any) -> None:
        nonlocal written
        replace(source, target, **options)
        if Path(target).name == "checkpoint.pt":
            written += 1
            if written == number:
                raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", replace_and_interrupt)
        yield


def main(checkout: str, compose_module: str, train_module: str, runs: str) -> None:
    compose, train = importlib.import_module(compose_module), importlib.import_module(train_module)
    plugin = importlib.import_module("hydra_plugins.workstation_launcher")
    for module in (compose, train, plugin):
        assert Path(str(module.__file__)).is_relative_to(checkout), f"{module.__file__} is not of {checkout}"
    for name, run in json.loads(Path(runs).read_text(encoding="utf-8")).items():
        checked = compose.compose_checked(run["overrides"])
        if run["interrupt"]:
            try:
                with interrupted_after_checkpoint(2):
                    train.train_run(checked, Path(name), run["overrides"])
            except KeyboardInterrupt:
                assert not Path(name, "result.json").exists()
            else:
                raise AssertionError(f"{name}: was not interrupted")
        train.train_run(checked, Path(name), run["overrides"])


if __name__ == "__main__":
    main(*sys.argv[1:])
