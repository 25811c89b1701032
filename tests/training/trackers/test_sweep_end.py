"""What trackers get when a sweep has ended, and what its user is told of them."""

import json
from pathlib import Path

import pytest

from tests.conftest import SMALL, CommandLine
from tests.training.trackers.reading import READERS
from tests.training.trackers.test_outside import OWN

COMMAND = ("-m", *SMALL, "training.epochs=1", "model=rnn", "sweep=drawn", "seed=0,1")


@pytest.mark.slow
@pytest.mark.parametrize("tracker", READERS)
def test_a_tracker_gets_the_figures_once(tracker: str, command: CommandLine, tmp_path: Path) -> None:
    pytest.importorskip(tracker, reason=f"needs the extra {tracker}")
    sweep = tmp_path / "outputs" / "drawn"

    def stored() -> dict[Path, int]:
        places = {"tensorboard": "tensorboard/*", "mlflow": "mlartifacts/*/artifacts/figures/*.png",
                  "wandb": "wandb/*figures*/**/*.png"}  # fmt: skip
        return {path: path.stat().st_mtime_ns for path in sweep.glob(places[tracker])}

    result = command("rnn_mnist.train", *COMMAND, f"tracker={tracker}")
    assert result.returncode == 0, result.stderr
    assert "warning" not in result.stdout
    drawn = {path.read_bytes() for path in (sweep / "figures").glob("*.png")}
    assert drawn
    there = stored()
    if tracker == "tensorboard":
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        events = EventAccumulator(str(sweep / "tensorboard"))
        events.Reload()
        assert {events.Images(tag)[0].encoded_image_string for tag in events.Tags()["images"]} == drawn
    else:
        assert {path.read_bytes() for path in there} == drawn
    assert command("rnn_mnist.train", *COMMAND, f"tracker={tracker}").returncode == 0
    assert stored() == there


@pytest.mark.slow
def test_the_sweep_says_what_a_tracker_lacks(command: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    result = command("rnn_mnist.train", *COMMAND, "tracker=[own.Leaving,own.ToFile]")
    assert result.returncode == 0, result.stderr
    assert "tracker=own.Leaving lacks some or all of 2 of 2 runs: SystemExit: 7" in result.stdout + result.stderr
    for path in (tmp_path / "outputs" / "drawn").glob("*/manifest.json"):
        assert json.loads(path.read_text())["tracker_failures"] == {"own.Leaving": "SystemExit: 7"}
