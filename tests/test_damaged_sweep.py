"""A sweep of real runs, in which files have been damaged: the same command makes those runs good, and no others."""

import json
import os
from pathlib import Path

import pytest

from tests.conftest import SMALL_SWEEP, CommandLine

TRAIN = "rnn_mnist.train"
SWEEP = ("-m", *SMALL_SWEEP, "seed=0,1,2,3,4,5", "hydra.sweep.dir=sweep", "training.epochs=1")


def runs(folder: Path) -> dict[int, Path]:
    """The directory of each seed."""
    found: dict[int, Path] = {}
    for path in (folder / "sweep").glob("*/status.json"):
        overrides = json.loads(path.read_text(encoding="utf-8"))["overrides"]
        found |= {seed: path.parent for seed in range(6) if f"seed={seed}" in overrides}
    return found


@pytest.mark.slow
def test_the_same_command_makes_damaged_runs_good(command: CommandLine, tmp_path: Path) -> None:
    first = command(TRAIN, *SWEEP)
    assert first.returncode == 0, first.stdout + first.stderr
    found = runs(tmp_path)
    losses = {seed: json.loads((run / "result.json").read_text())["test_loss"] for seed, run in found.items()}
    attempts = {seed: json.loads((run / "status.json").read_text())["attempt_id"] for seed, run in found.items()}
    (found[0] / "result.json").unlink()
    (found[1] / "result.json").write_text("{")
    (found[2] / "manifest.json").unlink()
    os.mkfifo(found[2] / "manifest.json")
    (found[3] / "model.pt").write_bytes(b"")
    (found[3] / "checkpoint.pt").write_bytes(b"")
    (found[4] / "predictions.npy").unlink()
    (found[4] / "predictions.npy").mkdir()
    again = command(TRAIN, *SWEEP)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "1 already done" in again.stdout
    for seed, run in found.items():
        assert json.loads((run / "result.json").read_text())["test_loss"] == losses[seed]
        assert (json.loads((run / "status.json").read_text())["attempt_id"] == attempts[seed]) == (seed == 5)
    assert (found[1] / "result.json.damaged").read_text() == "{"
    assert (found[3] / "checkpoint.pt.damaged").exists()
    third = command(TRAIN, *SWEEP)
    assert "6 already done" in third.stdout
    assert len((tmp_path / "sweep" / "results.csv").read_text().splitlines()) == 7
