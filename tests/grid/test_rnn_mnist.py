"""``rnn_mnist.train -m``: what of a grid is run, and that a plain grid is what it was with Hydra's basic sweeper."""

import re
from pathlib import Path

import pytest

from rnn_mnist.configuration.compose import sweep_directory
from tests.conftest import CommandLine

DRY = "hydra.launcher.dry_run=true"

STUDY = """# @package _global_
question: "Which learning rate suits which width?"
sweep: widths
hydra:
  sweeper:
    params:
      seed: range(2)
      model.hidden_size: logspace(16,64,3)
      optimizer.lr: logspace(1e-3,1e-1,5)
    filter: model.hidden_size < 64 or optimizer.lr < 0.05
"""


def listed(command: CommandLine, *arguments: str) -> tuple[list[list[str]], str]:
    """The overrides of each job of a dry run, and all that was said."""
    done = command("rnn_mnist.train", "-m", DRY, *arguments)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if " to do " in line and "jobs" not in line]
    return [[word for word in row if "=" in word and "__" not in word] for row in rows], done.stdout


def test_a_filter_is_typed_as_it_is_read(command: CommandLine, tmp_path: Path) -> None:
    found, said = listed(
        command,
        "model=gru,lstm",
        "model.num_layers=1,2,3",
        "hydra.sweeper.filter=model.cell == 'lstm' or model.num_layers < 3",
    )
    assert "grid: 6 combinations, 1 dropped by the filter: 5 jobs" in said
    assert ["model=gru", "model.num_layers=3"] not in found
    assert len(found) == 5
    assert not list(tmp_path.iterdir())


def test_a_study_has_all_of_it(command: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine.yaml").write_text(STUDY)
    found, said = listed(command, "experiment=mine")
    assert "grid: 30 combinations, 2 dropped by the filter: 28 jobs" in said
    assert found[:5] == [
        ["seed=0", "model.hidden_size=16", f"optimizer.lr={rate}"]
        for rate in ("0.001", "0.0032", "0.01", "0.032", "0.1")
    ]
    # The command line overrides the study.
    found, said = listed(command, "experiment=mine", "seed=5", "hydra.sweeper.random=3", "optimizer.lr=1e-3,1e-2")
    assert "grid: 3 points of 6 drawn with hydra.sweeper.random_seed=0: 3 jobs" in said
    assert "all with seed=5 experiment=mine\n" in said
    assert len(found) == 3


def test_every_point_gets_all_seeds(command: CommandLine) -> None:
    space = ["seed=0,1", "optimizer.lr=tag(log,interval(1e-4,1e-1))", "model.num_layers=1,2", "hydra.sweeper.random=3"]
    found, said = listed(command, *space)
    assert "grid: 3 points drawn with hydra.sweeper.random_seed=0: 6 jobs" in said
    assert [row[1:] for row in found[:3]] == [row[1:] for row in found[3:]]
    assert [row[0] for row in found] == ["seed=0"] * 3 + ["seed=1"] * 3


@pytest.mark.parametrize(
    "grid",
    [
        ["model=gru,lstm", "optimizer.lr=0.001,0.01", "seed=range(2)", "model.num_layers=1"],
        ["experiment=learning_rate", "schedule=constant"],
    ],
)
def test_a_plain_grid_is_what_it_was(command: CommandLine, grid: list[str]) -> None:
    shown = []
    for sweeper in ("basic", "grid"):
        said = listed(command, *grid, f"hydra/sweeper={sweeper}")[1]
        shown.append(re.sub(r"about [\d.]+ \w+( +\d+ s)? *", "", said))  # which is measured anew
    assert shown[0] == shown[1]


@pytest.mark.parametrize("sweeper", ["basic", "grid"])
def test_the_sweepers_options_are_no_part_of_its_name(sweeper: str) -> None:
    chosen = [f"hydra/sweeper={sweeper}", "hydra.sweeper.max_batch_size=1"]
    filtered = ["hydra.sweeper.filter=model.num_layers < 2", "hydra.sweeper.random=2"] if sweeper == "grid" else []
    directory = sweep_directory(["model.num_layers=1,2", *chosen, *filtered])
    assert directory == sweep_directory(["model.num_layers=1,2"]) == Path("outputs/model.num_layers-1+2")
