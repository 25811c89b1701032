"""Two runs at a time on one real GPU."""

import csv
import json
from pathlib import Path

from tests.conftest import SMALL_SWEEP, CommandLine


def test_two_runs_share_a_gpu(command: CommandLine, tmp_path: Path) -> None:
    done = command(
        "rnn_mnist.train", "-m", *SMALL_SWEEP, "seed=0,1", "sweep=shared", "hydra.launcher.jobs_per_device=2"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "on GPU" in done.stdout
    runs = [json.loads(path.read_text()) for path in (tmp_path / "outputs" / "shared").glob("*/status.json")]
    assert {run["state"] for run in runs} == {"completed"}
    first, second = sorted(runs, key=lambda run: str(run["started"]))
    assert second["started"] < first["ended"], "they did not run side by side"
    with (tmp_path / "outputs" / "shared" / "results.csv").open() as file:
        assert all("cuda" in row["device"] for row in csv.DictReader(file))
