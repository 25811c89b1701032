"""A sweep that the code of commit 272c665 made is read, skipped and carried on by today's."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.data.images import DataSet
from rnn_mnist.runs.provenance import code_version
from rnn_mnist.training.one_run import train_run
from tests.conftest import SMALL_SWEEP, CommandLine
from tests.pins.bits import assert_same_bits, read_result

OVERRIDES = [*SMALL_SWEEP, "sweep=first", "training.epochs=3", "model.dropout=0.2"]
SWEEP = ["-m", *OVERRIDES, "hydra.launcher.jobs_per_device=1", "seed=0,1", "model.num_layers=1,2"]

# Python runs this before anything else, in the sweep's process and in those of its jobs.
COPY_AT_THE_LAST_RUNS_FIRST_CHECKPOINT = """
import os, shutil
from pathlib import Path

replace = os.replace

def replace_and_copy(source, target, **options):
    replace(source, target, **options)
    sweep, copy = Path(target).parent.parent, Path(os.environ["COPY"])
    if Path(target).name == "checkpoint.pt" and len(list(sweep.glob("*/result.json"))) == 3 and not copy.exists():
        shutil.copytree(sweep, copy)

os.replace = replace_and_copy
"""


@pytest.fixture
def undisturbed(first_code: Path, mnist: DataSet, tmp_path: Path) -> Path:
    """The whole sweep; a copy of it, as a power cut in its last run's second epoch leaves it, is ``outputs/first``."""
    assert len(mnist.test.labels)  # and so unpacked
    (tmp_path / "sitecustomize.py").write_text(COPY_AT_THE_LAST_RUNS_FIRST_CHECKPOINT)
    copy, sweep, kept = tmp_path / "copy", tmp_path / "outputs" / "first", tmp_path / "undisturbed"
    subprocess.run(
        [sys.executable, "-m", "rnn_mnist.train", *SWEEP],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{first_code}{os.pathsep}{tmp_path}", "COPY": str(copy)},
        check=True,
        capture_output=True,
    )
    (tmp_path / "sitecustomize.py").unlink()
    sweep.rename(kept)
    # With the times of its files, which tell whether they are written again.
    shutil.copytree(copy, sweep)
    return kept


def results(sweep: Path) -> dict[str, tuple[bytes, int]]:
    """The content and the time of each run's ``result.json``."""
    return {path.parent.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in sweep.glob("*/result.json")}


def frame(sweep: Path) -> pd.DataFrame:
    return load_runs(sweep).frame.set_index("run")


def read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@pytest.mark.slow
def test_a_sweep_of_the_first_code_is_read_skipped_and_carried_on(
    undisturbed: Path, command: CommandLine, tmp_path: Path
) -> None:
    sweep = tmp_path / "outputs" / "first"
    (killed,) = {path.parent.name for path in undisturbed.glob("*/result.json")} - set(results(sweep))
    before = results(sweep)
    assert read_json(sweep / killed / "status.json")["state"] == "running"
    assert (sweep / killed / "checkpoint.pt").exists()

    table = frame(sweep)
    # What is said to be running although its process is gone was interrupted.
    assert table["status"].to_dict() == {killed: "interrupted"} | dict.fromkeys(before, "completed")
    for run in before:
        result = read_result(sweep / run)
        assert {key: table.loc[run, key] for key in result} == result
    made_by = read_json(sweep / killed / "manifest.json")["code"]
    assert made_by["source_sha256"] != code_version().source_sha256

    carried_on = command("rnn_mnist.train", *SWEEP)
    assert carried_on.returncode == 0, carried_on.stdout + carried_on.stderr

    assert {run: found for run, found in results(sweep).items() if run != killed} == before
    assert sorted(path.name for path in sweep.iterdir() if path.is_dir()) == sorted([killed, *before])
    assert read_json(sweep / killed / "status.json")["state"] == "completed"
    assert read_json(sweep / killed / "status.json")["attempts"] == 2
    (earlier,) = read_json(sweep / killed / "manifest.json")["earlier_attempts"]
    assert earlier["code"] == {**made_by, "difference": None}
    assert set(frame(sweep)["status"]) == {"completed"}
    with (sweep / "results.csv").open(newline="") as file:
        assert {row["run"]: row["status"] for row in csv.DictReader(file)} == dict.fromkeys(
            [killed, *before], "completed"
        )

    for run in [killed, *before]:
        assert_same_bits(sweep / run, undisturbed / run)
    # The first epoch was not trained again: its very seconds are those of the first code's process.
    first_epochs = [(folder / killed / "metrics.csv").read_text().splitlines()[1] for folder in (sweep, undisturbed)]
    assert first_epochs[0] == first_epochs[1]

    by_itself = sweep / next(iter(before))
    train_run(compose_checked(read_json(by_itself / "manifest.json")["overrides"]), by_itself, [])
    assert results(sweep)[by_itself.name] == before[by_itself.name]
