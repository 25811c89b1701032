"""The sweeper in real multiruns of an application that knows nothing of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY

APP = """
import hydra
from omegaconf import DictConfig


@hydra.main(version_base=None, config_path=".", config_name="config")
def app(config: DictConfig):
    if config.x == 99:
        raise ValueError("boom")
    print("ran", config.x, config.y)


if __name__ == "__main__":
    app()
"""
CONFIG = """
defaults:
  - _self_
  - override hydra/sweeper: grid
x: 0
y: 0
hydra:
  sweep: {dir: sweep}
  sweeper:
    params:
      x: 1,2
      y: logspace(1,100,3)
    filter: x == 1 or y > 1
"""


class App:
    """The application in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "app.py").write_text(APP)
        (folder / "config.yaml").write_text(CONFIG)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        # Hydra 1.4 warns of the version_base that 1.3 wants.
        quiet = {"PYTHONWARNINGS": "ignore::UserWarning", "PYTHONPATH": str(REPOSITORY)}
        return subprocess.run(
            [sys.executable, "app.py", *arguments],
            cwd=self.folder,
            env={**os.environ, **quiet},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def jobs(self) -> list[list[str]]:
        """The overrides of each, by number."""
        folders = sorted((self.folder / "sweep").glob("*/.hydra"), key=lambda folder: int(folder.parent.name))
        assert [int(folder.parent.name) for folder in folders] == list(range(len(folders)))
        return [yaml.safe_load((folder / "overrides.yaml").read_text()) for folder in folders]


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(tmp_path)


@pytest.mark.parametrize("launcher", ["basic", "workstation"])
def test_a_file_says_what_is_run(app: App, launcher: str) -> None:
    done = app.run("-m", f"hydra/launcher={launcher}")
    assert done.returncode == 0, done.stderr
    assert "grid: 6 combinations, 1 dropped by the filter: 5 jobs" in done.stdout
    assert app.jobs() == [["x=1", "y=1"], ["x=1", "y=10"], ["x=1", "y=100"], ["x=2", "y=10"], ["x=2", "y=100"]]
    assert (
        yaml.safe_load((app.folder / "sweep" / "multirun.yaml").read_text())["hydra"]["sweeper"]["params"]["x"] == "1,2"
    )


def test_the_command_line_overrides_the_file(app: App) -> None:
    done = app.run("-m", "y=5", "x=3,4", "hydra.sweeper.filter='x != 3'", "hydra.sweeper.max_batch_size=1")
    assert done.returncode == 0, done.stderr
    assert app.jobs() == [["x=4", "y=5"]]


def test_batches_are_numbered_on_and_end_with_the_first_that_fails(app: App) -> None:
    arguments = ["y=5", "x=3,4,5,99,6", "hydra.sweeper.filter=null", "hydra.sweeper.max_batch_size=2"]
    done = app.run("-m", "hydra/launcher=basic", *arguments)
    assert done.returncode == 1
    assert "boom" in done.stderr
    assert app.jobs() == [["x=3", "y=5"], ["x=4", "y=5"], ["x=5", "y=5"], ["x=99", "y=5"]]


@pytest.mark.parametrize("launcher", ["basic", "workstation"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["hydra.sweeper.filter='x > 5'"], "hydra.sweeper.filter=x > 5: drops all of 6 combinations"),
        (["hydra.sweeper.filter='x >'"], "must be an expression over keys"),
        (["x=3,4", "++x=5"], "x=3,4 and ++x=5: the command line sets x twice"),
        (["hydra.sweeper.zip=[[x,y]]"], "must have equally many values: x has 2, y has 3"),
        (
            ["y=interval(0,1)"],
            "interval needs one that searches, such as hydra/sweeper=optuna, or hydra.sweeper.random",
        ),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(app: App, launcher: str, arguments: list[str], words: str) -> None:
    before = sorted(app.folder.iterdir())
    done = app.run("-m", f"hydra/launcher={launcher}", *arguments)
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if line and "HYDRA_FULL_ERROR" not in line]
    assert len(said) == 1
    assert words in said[0]
    assert [path for path in sorted(app.folder.iterdir()) if path.name != "__pycache__"] == before


def test_logspace_can_be_written_with_any_sweeper(app: App) -> None:
    (app.folder / "config.yaml").write_text(CONFIG.partition("hydra:\n")[0].replace("grid", "basic"))
    done = app.run("-m", "hydra.sweep.dir=sweep", "x=1", "y=logspace(1,1000,4)")
    assert done.returncode == 0, done.stderr
    assert app.jobs() == [["x=1", f"y={value}"] for value in (1, 10, 100, 1000)]
