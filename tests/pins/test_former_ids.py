"""Runs that the code of commit 272c665 knew by other ids than today's are still found, skipped and carried on."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.configuration.identity import run_id
from rnn_mnist.data.images import DataSet
from tests.conftest import SMALL_SWEEP, CommandLine

# What is asked for, and whether it had an id of its own that today's code gives to another configuration too.
ASKED = [
    ([], False),
    (["model.num_layers=1", "model.dropout=0.5"], False),
    (["model.num_layers=1", "model.dropout=-0.0"], True),
    (["model.parameter_budget=50000"], False),
    (["schedule=one_cycle"], False),
    (["schedule=one_cycle", "optimizer=rmsprop"], False),
    (["data.validation_size=0"], False),
    (["data.validation_size=0", "data.split_seed=3"], True),
    (["data.validation_size=0", "data.split_seed=3", "schedule=one_cycle", "model.num_layers=1"], True),
    (["sequence=random_length", "sequence.min_rows=28", "sequence.length_seed=3"], True),
    (["training.epochs=3", "training.early_stopping_patience=2"], True),
    (["training.epochs=4", "training.early_stopping_patience=2"], False),
    (["schedule=cosine", "schedule.final_fraction=1"], True),
    (["schedule=step", "schedule.step_size=4", "training.epochs=4"], True),
    (["schedule=step", "schedule.gamma=1.0", "schedule.step_size=1"], True),
    (["data.train_fraction=0.0100001"], True),
    (["model.num_layers=2", "model.dropout=-0.0"], True),
    (["optimizer.weight_decay=-0.0", "model.num_layers=1", "model.dropout=0.3"], True),
]

IDS = """
import json, sys
from rnn_mnist.composition import compose_checked
from rnn_mnist.identity import run_id
print(json.dumps([run_id(compose_checked(overrides).config) for overrides in json.loads(sys.argv[1])]))
"""

# Python runs this before anything else, in a sweep's process and in those of its jobs: the first checkpoint is the end.
DIE_AT_THE_FIRST_CHECKPOINT = """
import os, signal
from pathlib import Path

replace = os.replace

def replace_and_die(source, target, **options):
    replace(source, target, **options)
    if Path(target).name == "checkpoint.pt":
        os.kill(os.getpid(), signal.SIGKILL)

os.replace = replace_and_die
"""

# All images are trained on, so that no seed splits them.
SAME = [
    *(override for override in SMALL_SWEEP if "train_fraction" not in override),
    "training.batch_size=2000",
    "data.validation_size=0",
    "data.split_seed=3",
    "hydra.launcher.jobs_per_device=1",
]
SINGLE = [override for override in SAME if not override.startswith("hydra.")]
SWEEP = ["-m", *SAME, "sweep=same", "seed=0,1"]


def with_first_code(first_code: Path, folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    search = os.pathsep.join(map(str, (first_code, folder)))
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": search},
        capture_output=True,
        text=True,
        check=False,
    )


def results(folder: Path) -> dict[str, tuple[bytes, int]]:
    """The content and the time of each run's ``result.json``."""
    return {path.parent.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.glob("*/result.json")}


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_former_ids_are_those_of_the_first_code(first_code: Path, tmp_path: Path) -> None:
    made = with_first_code(first_code, tmp_path, "-c", IDS, json.dumps([overrides for overrides, _ in ASKED]))
    assert made.returncode == 0, made.stderr
    for (overrides, differs), once in zip(ASKED, json.loads(made.stdout), strict=True):
        resolved = compose_checked(overrides)
        assert (run_id(resolved.config) != once) == differs, overrides
        assert resolved.former_ids == ((once,) if differs else ()), overrides


@pytest.mark.slow
def test_a_sweep_of_former_ids_is_skipped(
    first_code: Path, mnist: DataSet, tmp_path: Path, command: CommandLine
) -> None:
    assert len(mnist.test.labels)  # and so unpacked
    made = with_first_code(first_code, tmp_path, "-m", "rnn_mnist.train", *SWEEP)
    assert made.returncode == 0, made.stdout + made.stderr
    sweep = tmp_path / "outputs" / "same"
    before = results(sweep)
    assert len(before) == 2
    again = command("rnn_mnist.train", *SWEEP)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "2 already done" in again.stdout
    assert results(sweep) == before
    assert sorted(path.name for path in sweep.iterdir() if path.is_dir()) == sorted(before)
    assert sorted(job["directory"] for job in read(sweep / "sweep.json")["jobs"].values()) == sorted(before)
    # Without the record the directories are found by what lies in them.
    (sweep / "sweep.json").unlink()
    assert "2 already done" in command("rnn_mnist.train", *SWEEP).stdout
    assert results(sweep) == before
    # Asked for otherwise it is a run of another name, as it was.
    split = [override for override in SWEEP[:-1] if "split_seed" not in override]
    other = command("rnn_mnist.train", *split, "seed=0", "data.split_seed=0")
    assert other.returncode == 0, other.stdout
    assert results(sweep).items() > before.items()
    assert "2 already done" in command("rnn_mnist.train", *SWEEP).stdout


@pytest.mark.slow
def test_a_single_run_of_a_former_id_is_skipped(
    first_code: Path, mnist: DataSet, tmp_path: Path, command: CommandLine
) -> None:
    assert len(mnist.test.labels)
    made = with_first_code(first_code, tmp_path, "-m", "rnn_mnist.train", *SINGLE)
    assert made.returncode == 0, made.stdout + made.stderr
    before = results(tmp_path / "outputs" / "single")
    again = command("rnn_mnist.train", *SINGLE)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "already completed" in again.stdout
    assert results(tmp_path / "outputs" / "single") == before


@pytest.mark.slow
@pytest.mark.parametrize("single", [True, False])
def test_a_checkpoint_of_a_former_id_is_carried_on(
    first_code: Path, mnist: DataSet, tmp_path: Path, command: CommandLine, *, single: bool
) -> None:
    assert len(mnist.test.labels)
    (tmp_path / "sitecustomize.py").write_text(DIE_AT_THE_FIRST_CHECKPOINT)
    asked = [*SINGLE] if single else [*SWEEP[:-1], "seed=0"]
    made = with_first_code(first_code, tmp_path, "-m", "rnn_mnist.train", *asked)
    assert made.returncode == (-signal.SIGKILL if single else 1), made.stdout + made.stderr
    (tmp_path / "sitecustomize.py").unlink()
    folder = tmp_path / "outputs" / ("single" if single else "same")
    (run,) = (path.parent for path in folder.glob("*/checkpoint.pt"))
    once = read(run / "manifest.json")["run_id"]

    carried_on = command("rnn_mnist.train", *asked)
    assert carried_on.returncode == 0, carried_on.stdout + carried_on.stderr
    (same,) = (path.parent for path in folder.glob("*/result.json"))
    assert same == run
    assert "continuing after epoch 1" in (run / "train.log").read_text()
    assert read(run / "result.json")["run_id"] == read(run / "manifest.json")["run_id"] != once
    assert len(read(run / "manifest.json")["earlier_attempts"]) == 1
    # The first code's status of a single run does not say which run it is of.
    assert read(run / "status.json")["attempts"] == (1 if single else 2)
    # The first epoch was not trained again: its very seconds are those of the first code's process.
    # What is now known by today's id is skipped, in the directory of the former one.
    before = results(folder)
    again = command("rnn_mnist.train", *asked)
    assert again.returncode == 0
    assert results(folder) == before
