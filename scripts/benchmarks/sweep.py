"""How many runs an hour: the same real training runs under each launcher, and by the tutorial's loop."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hydra_plugins.workstation_launcher import available_cores

_NO_FIGURES = "hydra.launcher.on_sweep_end=null"  # the other launchers draw none

LAUNCHERS = {
    "basic": ["hydra/launcher=basic"],
    "joblib, as it comes": ["hydra/launcher=joblib"],
    "workstation": [_NO_FIGURES],
}
WORKSTATION_ALTERNATIVES = {
    "workstation, 1 job of all cores": [_NO_FIGURES, "hydra.launcher.jobs_per_device=1"],
    "workstation, 2 jobs a core": [
        _NO_FIGURES,
        "hydra.launcher.jobs_per_device={twice}",
        "hydra.launcher.threads_per_job=1",
    ],
}
NETWORKS = {"LSTM 2x128": (2, 128), "LSTM 1x32": (1, 32)}

_TUTORIAL = """
from benchmarks.tutorial import TutorialLoop
from rnn_mnist.data.files import data_root

for seed in range({jobs}):
    loop = TutorialLoop(
        data_root(None), num_layers={layers}, hidden_size={hidden_size}, seed=seed, train_images={images}
    )
    loop.train_epoch()
    loop.test_accuracy()
"""


def compare(jobs: int, images: int, *, networks: list[str], alternatives: bool) -> None:
    """Train ``jobs`` runs of one epoch of ``images`` images, and test each, in every way; print seconds and ratios."""
    launchers = LAUNCHERS | (WORKSTATION_ALTERNATIVES if alternatives else {})
    for network in networks:
        layers, hidden_size = NETWORKS[network]
        seconds = {"the tutorial's loop": _time_tutorial(jobs, layers, hidden_size, images)}
        for name, options in launchers.items():
            seconds[name] = _time_sweep(jobs, layers, hidden_size, images, options)
        print(f"{network}: {jobs} runs of 1 epoch of {images:,} images, tested on 10,000", flush=True)
        for name, taken in seconds.items():
            ratio = taken / seconds["workstation"]
            print(f"  {name:32} {taken:7.1f} s  {3600 * jobs / taken:7.0f} runs an hour  {ratio:5.2f}x", flush=True)


def _time_tutorial(jobs: int, layers: int, hidden_size: int, images: int) -> float:
    program = _TUTORIAL.format(jobs=jobs, layers=layers, hidden_size=hidden_size, images=images)
    return _seconds([sys.executable, "-c", program], Path(__file__).parents[1])


def _time_sweep(jobs: int, layers: int, hidden_size: int, images: int, options: list[str]) -> float:
    chosen = [option.format(twice=2 * available_cores()) for option in options]
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "rnn_mnist.train", "-m", f"seed=range({jobs})", f"model.num_layers={layers}",
            f"model.hidden_size={hidden_size}", "training.epochs=1", "optimizer.lr=0.01", "data.validation_size=0",
            f"data.train_fraction={images / 60_000}", *chosen,
        ]  # fmt: skip
        return _seconds(command, Path(folder))


def _seconds(command: list[str], folder: Path) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start
