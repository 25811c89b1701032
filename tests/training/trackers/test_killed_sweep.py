"""A real sweep of four runs, one of them killed and resumed, as each tracker's own reader has it afterwards."""

import csv
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine, start
from tests.training.trackers.reading import READERS

EPOCHS = 30
KILLED = 2
COMMAND = (
    "-m", "sweep=tracked", "seed=range(4)", "model=rnn", "model.num_layers=1", "model.hidden_size=8",
    "data.train_fraction=0.1", f"training.epochs={EPOCHS}", "training.threads=1", "hydra.launcher.jobs_per_device=2",
    "hydra.launcher.retries=0", "hydra.launcher.on_sweep_end=null",
)  # fmt: skip


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def run_of_seed(sweep: Path, seed: int) -> Path | None:
    for path in sweep.glob("*/manifest.json"):
        if read(path)["config"]["seed"] == seed:
            return path.parent
    return None


def kill_when_its_tracker_has_some(tracker: str, sweep: Path, process: Any) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        run = run_of_seed(sweep, KILLED)
        if run is None or not (run / "metrics.csv").exists():
            time.sleep(0.05)
            continue
        found = READERS[tracker](sweep).get(read(run / "manifest.json")["run_id"])
        # W&B's own process writes its file when it likes.
        if (found is not None and found.epochs) or (tracker == "wandb" and len(rows(run)) >= 5):
            os.kill(read(run / "status.json")["pid"], signal.SIGKILL)
            assert not (run / "result.json").exists(), "it ended before it could be killed"
            return
    raise AssertionError(f"never in {tracker}: {process.communicate() if process.poll() else ''}")


@pytest.mark.slow
@pytest.mark.parametrize("tracker", READERS)
def test_every_epoch_is_there_once(tracker: str, command: CommandLine, tmp_path: Path) -> None:
    pytest.importorskip(tracker, reason=f"needs the extra {tracker}")
    sweep = tmp_path / "outputs" / "tracked"
    process = start("rnn_mnist.train", *COMMAND, f"tracker={tracker}", cwd=tmp_path)
    kill_when_its_tracker_has_some(tracker, sweep, process)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 1, output
    again = command("rnn_mnist.train", *COMMAND, f"tracker={tracker}")
    assert again.returncode == 0, again.stdout + again.stderr
    killed = run_of_seed(sweep, KILLED)
    assert killed is not None
    assert "continuing after epoch" in (killed / "train.log").read_text()
    assert not [path for path in sweep.glob("*/train.log") if "tracker=" in path.read_text()]

    found = READERS[tracker](sweep)
    runs = {read(path)["run_id"]: path.parent for path in sweep.glob("*/result.json")}
    assert found.keys() == runs.keys()
    assert len(runs) == 4
    for run_id, run in runs.items():
        there, manifest, result = found[run_id], read(run / "manifest.json"), read(run / "result.json")
        assert [epoch for epoch, _ in there.epochs] == list(range(1, EPOCHS + 1))
        assert [value for _, value in there.epochs] == pytest.approx([float(row["val_accuracy"]) for row in rows(run)])
        assert there.final["final/test_accuracy"] == pytest.approx(result["test_accuracy"])
        assert (there.state, there.group) == ("completed", "tracked")
        expected = {"sweep": "tracked", "run_id": run_id, "setting_id": manifest["setting_id"]}
        assert expected.items() <= there.tags.items()
        assert there.tags.get("commit") == manifest["code"]["commit"]
        assert float(there.parameters["optimizer.lr"]) == manifest["config"]["optimizer"]["lr"]
        assert there.parameters["model.cell"] == "rnn"
        assert int(there.parameters["seed"]) == manifest["config"]["seed"]

    # What is complete is not sent again.
    written = {path: path.stat().st_mtime_ns for path in sweep.rglob("*events.out*")}
    assert command("rnn_mnist.train", *COMMAND, f"tracker={tracker}").returncode == 0
    assert READERS[tracker](sweep) == found
    assert written == {path: path.stat().st_mtime_ns for path in sweep.rglob("*events.out*")}
