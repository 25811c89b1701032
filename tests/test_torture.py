"""A sweep of real runs in which everything goes wrong comes out as if nothing had."""

import csv
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, SMALL_SWEEP
from tests.launcher.conftest import processes_that_know

RUNS, EPOCHS = 8, 3
ROUNDS = int(os.environ.get("TORTURE_ROUNDS", "1"))
COMMAND = [
    sys.executable, str(REPOSITORY / "tests" / "sabotaged_train.py"), "-m", *SMALL_SWEEP, "sweep=torture",
    f"seed=range({RUNS})", f"training.epochs={EPOCHS}", "hydra.launcher.timeout_minutes=0.1",
    "hydra.launcher.jobs_per_device=2",
]  # fmt: skip


def environment(folder: Path) -> dict[str, str]:
    return os.environ | {"NOTES": str(folder / "notes"), "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}


def outcome(folder: Path) -> dict[str, tuple[list[dict[str, str]], bytes]]:
    """Metrics without timings, and predictions, by the directory of the run."""
    found = {}
    for run in (folder / "outputs" / "torture").iterdir():
        if not run.is_dir():
            continue
        with (run / "metrics.csv").open() as file:
            metrics = [
                {key: value for key, value in row.items() if key not in ("epoch_seconds", "images_per_second")}
                for row in csv.DictReader(file)
            ]
        found[run.name] = (metrics, (run / "predictions.npy").read_bytes())
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[dict[str, str]], bytes]]:
    folder = tmp_path_factory.mktemp("calm")
    subprocess.run(COMMAND, cwd=folder, env=environment(folder) | {"CALM": "1"}, check=True, capture_output=True)
    return outcome(folder)


@pytest.mark.slow
@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_tortured_sweep(
    round_: int, tmp_path: Path, undisturbed: dict[str, tuple[list[dict[str, str]], bytes]]
) -> None:
    moment = random.Random(round_).uniform(0.5, 9)
    first = subprocess.Popen(COMMAND, cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.DEVNULL, stderr=-3)
    time.sleep(moment)
    first.kill()
    first.wait()
    for _ in range(12):
        done = subprocess.run(COMMAND, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True)
        if done.returncode == 0:
            break
        assert done.returncode == 1, done.stdout + done.stderr
    assert done.returncode == 0, done.stdout + done.stderr
    assert outcome(tmp_path) == undisturbed
    with (tmp_path / "outputs" / "torture" / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sorted(int(row["seed"]) for row in rows) == list(range(RUNS))
    assert {row["status"] for row in rows} == {"completed"}
    notes = [line.split() for line in (tmp_path / "notes").read_text().splitlines()]
    assert not [note for note in notes if note[2] == "True"], "a completed run was trained again"
    deadline = time.monotonic() + 10
    while processes_that_know(tmp_path / "notes") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not processes_that_know(tmp_path / "notes")
