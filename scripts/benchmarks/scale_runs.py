"""What thousands of finished runs take: to write, to find again under the same command, and to make the tables of.

Composing, identities, records and tables are the real ones; only the training is left out. Workers write as on a
cluster, each a run at a time, so many beside one another that runs begin and end in no order.
"""

import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from hydra_plugins.workstation_launcher import available_cores, directory_name
from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.configuration.identity import not_in_names
from rnn_mnist.configuration.resolution import Resolved, resolve
from rnn_mnist.runs.provenance import attempt_here
from rnn_mnist.runs.record import manifest_of
from rnn_mnist.runs.run import Run

_SWEEP = "scale"
_FIXED = ("model.hidden_size=32", "training.threads=1")
_PEAK = """
import runpy, sys, time
from pathlib import Path
begun = time.monotonic()
try:
    {program}
finally:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    print("\\npeak", line.split()[1], time.monotonic() - begun)
"""
_TRAIN = 'sys.argv[0] = "train"; runpy.run_module("rnn_mnist.train", run_name="not main")["_train"]()'
_TABLE = "from rnn_mnist import load_runs; print(len(load_runs(sys.argv[1]).frame))"


def measure(runs: int, workers: int) -> None:
    """Print a table: a tenth of the runs, and all of them."""
    print(f"{'runs':>9} {'':22} {'seconds':>8} {'a run':>9} {'memory':>8}", flush=True)
    for count in (runs // 10, runs):
        with tempfile.TemporaryDirectory() as folder:
            begun = time.monotonic()
            _write(Path(folder), count, workers)
            _tell(count, f"written by {workers:,} workers", time.monotonic() - begun, None)
            command = ("-m", f"sweep={_SWEEP}", f"seed=range({count})", *_FIXED)
            for name, program, arguments in (
                ("the same command again", _TRAIN, command),
                ("a dry run of it", _TRAIN, (*command, "hydra.launcher.dry_run=true")),
                ("its table", _TABLE, (f"outputs/{_SWEEP}",)),
            ):
                seconds, kilobytes = _run(folder, program, arguments, count)
                _tell(count, name, seconds, kilobytes)


def _tell(count: int, name: str, seconds: float, kilobytes: int | None) -> None:
    memory = "" if kilobytes is None else f"{kilobytes / 1024:5.0f} MB"
    print(f"{count:9,} {name:22} {seconds:8.1f} {1000 * seconds / count:6.2f} ms {memory:>8}", flush=True)


def _run(folder: str, program: str, arguments: tuple[str, ...], count: int) -> tuple[float, int]:
    command = [sys.executable, "-c", _PEAK.format(program=program), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    if " to do" in done.stdout and f"0 of {count} jobs to do" not in done.stdout:
        raise RuntimeError(f"finished runs were not found again: {done.stdout[-500:]}")
    _, kilobytes, seconds = done.stdout.splitlines()[-1].split()
    return float(seconds), int(kilobytes)


def _write(folder: Path, count: int, workers: int) -> None:
    base = compose_checked([f"sweep={_SWEEP}", *_FIXED])
    cores = available_cores()
    at_a_time = max(1, workers // cores)
    chunks = [range(first, min(first + at_a_time, count)) for first in range(0, count, at_a_time)]
    with ProcessPoolExecutor(cores) as pool:
        list(pool.map(partial(_write_some, folder / "outputs" / _SWEEP, base), chunks))


def _write_some(sweep: Path, base: Resolved, seeds: range) -> None:
    """Begin the runs of some workers, and end them in another order."""
    begun = []
    for seed in seeds:
        resolved = resolve(replace(base.requested, seed=seed))
        overrides = [f"sweep={_SWEEP}", f"seed={seed}", *_FIXED]
        run = Run(sweep / directory_name(resolved.run_id, overrides, leave_out=not_in_names()))
        manifest = manifest_of(resolved, overrides, attempt_here())
        run.prepare(manifest)
        run.start(manifest, resume=False)
        begun.append((run, resolved, np.random.default_rng(seed)))
    random.Random(seeds[0]).shuffle(begun)
    for run, resolved, draw in begun:
        accuracy = float(draw.normal(0.97, 0.004))
        row = {"train_loss": 0.1, "train_accuracy": accuracy, "val_loss": 0.1, "val_accuracy": accuracy}
        times = {"learning_rate": 0.01, "gradient_norm": 1.0, "epoch_seconds": 1.0, "images_per_second": 55_000.0}
        run.write_metrics([{"epoch": epoch, **row, **times} for epoch in (1, 2)])
        run.write_first_steps([2.3] * 20)
        run.write_predictions(draw.integers(0, 10, 10_000).astype(np.uint8))
        run.write_accuracy_by_step([accuracy] * 28)
        run.update_manifest(weights_removed=True)
        figures = {"test_accuracy": accuracy, "val_accuracy": accuracy, "test_loss": 0.1, "parameters": 8_000}
        rest = {"best_epoch": 2, "train_seconds": 2.0, "images_per_second": 55_000.0, "device": "cpu"}
        run.complete({"run_id": resolved.run_id, **figures, **rest})
