"""Studies of a user's own, in a folder of their own, through the real commands."""

import json
import os
from pathlib import Path

import pytest

import rnn_mnist
from rnn_mnist.errors import ExpectedError
from tests.conftest import SMALL_SWEEP, CommandLine

STUDY = """# @package _global_
defaults:
  - _base
  - override /model: gru
question: "Is it mine?"
sweep: mine
model:
  dropout: 0.5
training:
  epochs: 1
hydra:
  sweeper:
    params:
      seed: 0,1
"""
BASE = """# @package _global_
defaults:
  - _study
model:
  num_layers: 1
"""
HEADLESS = STUDY.replace("# @package _global_", "# mine")
BROKEN = {
    "headless": (HEADLESS, ": its first line must be '# @package _global_'"),
    "tab": ("# @package _global_\nmodel:\n\thidden_size: 3\n", ": line 3: a tab; YAML is indented with spaces"),
    "indented": ("# @package _global_\nmodel:\n  hidden_size: 3\n dropout: 0\n", ": line 4: expected <block end>"),
    "listed": ("# @package _global_\nmodel:\n  - hidden_size: 3\n", ": line 3: model: must be a mapping"),
    "outdented": ("# @package _global_\nmodel:\nhidden_size: 3\n", ": line 2: model: must be a mapping"),
    "twice": ("# @package _global_\nseed: 1\nseed: 3\n", ": line 3: found duplicate key seed"),
    "grid": (
        "# @package _global_\nhydra:\n  sweeper:\n    params:\n      - seed: 0,1\n",
        ": line 5: hydra.sweeper.params: must be a mapping",
    ),
    "latin": ("# @package _global_\nquestion: \udcfc\n", ": not UTF-8"),
    "on_tab": ("# @package _global_\ndefaults: [tab]\n", None),
    "depth": (STUDY, ": has the name of another study"),
}


@pytest.fixture(params=["studies", "config/experiment"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder of the studies: the one that is found by itself, or one that ``--config-dir`` names."""
    made = tmp_path / str(request.param)
    made.mkdir(parents=True)
    (made / "mine.yaml").write_text(STUDY)
    (made / "_base.yaml").write_text(BASE)
    return made


def flags(folder: Path) -> list[str]:
    return [] if folder.name == "studies" else ["--config-dir", folder.parent.name]


def write_broken(folder: Path) -> None:
    for name, (text, _) in BROKEN.items():
        (folder / f"{name}.yaml").write_bytes(os.fsencode(text))


@pytest.mark.slow
def test_an_own_study_is_a_sweep(folder: Path, command: CommandLine, tmp_path: Path) -> None:
    (folder / "tab.yaml").write_text(BROKEN["tab"][0])  # which is nobody's business here
    overrides = [*flags(folder), *SMALL_SWEEP, "experiment=mine", "hydra.launcher.jobs_per_device=1"]
    made = command("rnn_mnist.train", "-m", *overrides)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "question: Is it mine?" in made.stdout
    assert "model.dropout=0.5 has no effect" in made.stdout
    manifests = [json.loads(path.read_text()) for path in (tmp_path / "outputs" / "mine").glob("*/manifest.json")]
    assert sorted(manifest["config"]["seed"] for manifest in manifests) == [0, 1]
    assert {manifest["config"]["model"]["cell"] for manifest in manifests} == {"gru"}
    assert {manifest["config"]["schedule"]["name"] for manifest in manifests} == {"one_cycle"}
    again = command("rnn_mnist.train", "-m", *overrides)
    assert again.returncode == 0
    assert "2 already done" in again.stdout


def test_own_studies_are_listed(folder: Path, command: CommandLine) -> None:
    (folder / "tab.yaml").write_text(BROKEN["tab"][0])
    shown = command("rnn_mnist.train", *flags(folder), "--help").stdout
    (line,) = [line for line in shown.splitlines() if line.startswith("experiment: ")]
    assert {"mine", "tab", "depth"} <= set(line.removeprefix("experiment: ").split(", "))
    assert "_base" not in line
    for module in ("rnn_mnist.train", "rnn_mnist.explain"):
        refused = command(module, *flags(folder), "experiment=yours")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.startswith("error: experiment=yours: no such option; allowed: ")
        assert " mine," in refused.stderr


@pytest.mark.parametrize("name", ["headless", "listed"])
def test_a_broken_study_is_one_line_of_a_command(folder: Path, command: CommandLine, name: str) -> None:
    write_broken(folder)
    for module in ("rnn_mnist.train", "rnn_mnist.explain"):
        refused = command(module, *flags(folder), f"experiment={name}")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert f"{name}.yaml{BROKEN[name][1]}" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_study_is_refused_with_file_and_line(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write_broken(folder)
    monkeypatch.chdir(tmp_path)
    config_dir = None if folder.name == "studies" else folder.parent
    with pytest.raises(ExpectedError) as refused:
        rnn_mnist.compose([f"experiment={name}"], config_dir)
    file, reason = (name, BROKEN[name][1]) if BROKEN[name][1] else ("tab", BROKEN["tab"][1])
    assert f"{file}.yaml{reason}" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_api_takes_own_studies(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config_dir = None if folder.name == "studies" else folder.parent.relative_to(tmp_path)
    assert rnn_mnist.compose(["experiment=mine"], config_dir).model.cell == "gru"
    assert "GRU" in rnn_mnist.explain(["experiment=mine"], config_dir).module
    (folder / "mine.yaml").write_text(STUDY.replace("gru", "rnn"))
    assert rnn_mnist.compose(["experiment=mine"], config_dir).model.cell == "rnn"
    (folder / "mine.yaml").unlink()
    with pytest.raises(ExpectedError, match="experiment=mine: no such option"):
        rnn_mnist.compose(["experiment=mine"], config_dir)


def test_a_folder_of_studies_that_is_not_there_is_one_line(command: CommandLine) -> None:
    for module in ("rnn_mnist.train", "rnn_mnist.explain"):
        refused = command(module, "--config-dir", "nowhere")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "nowhere" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
