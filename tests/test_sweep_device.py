"""``training.device`` of a sweep, whose own process starts neither CUDA nor PyTorch: its jobs are forked."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.launcher.fake_nvml import TWO_GPUS, fake_driver

PROGRAM = """
import sys
from rnn_mnist.train import main

try:
    main()
finally:
    assert "torch" not in sys.modules
"""


def sweep(folder: Path, cards: list[dict[str, Any]], *overrides: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "-m", "hydra.launcher.dry_run=true", *overrides],
        cwd=folder,
        env=os.environ | fake_driver(folder / "driver", cards),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_gpu_is_looked_for_without_cuda(tmp_path: Path) -> None:
    done = sweep(tmp_path, TWO_GPUS, "training.device=cuda", "seed=0,1")
    assert done.returncode == 0, done.stderr
    assert "2 at a time on GPU 0, GPU 1" in done.stdout


@pytest.mark.parametrize(
    ("cards", "device", "line"),
    [
        ([], "cuda", "training.device=cuda: there is no NVIDIA GPU to be used here; allowed: auto, cpu"),
        (
            TWO_GPUS,
            "cuda:1",
            "training.device=cuda:1: each run of a sweep has a GPU for itself, as cuda:0; "
            "hydra.launcher.devices=[1] chooses it",
        ),
    ],
)
def test_one_that_a_run_would_not_find_is_an_error(
    tmp_path: Path, cards: list[dict[str, Any]], device: str, line: str
) -> None:
    done = sweep(tmp_path, cards, f"training.device={device}")
    assert (done.returncode, done.stderr) == (1, f"error: {line}\n")
