"""Runs made again, with the real networks and data."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rnn_mnist.__main__ import main
from rnn_mnist.api import train
from tests.conftest import REPOSITORY, SMALL

Edit = Callable[..., None]
MIXED = (
    *SMALL, "model=gru", "model.num_layers=2", "model.dropout=0.2", "training.epochs=2", "schedule=one_cycle",
    "data.augmentation.max_shift=2",
)  # fmt: skip


@pytest.fixture(scope="module")
def made(mnist_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("replay") / "sweep" / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNN_MNIST_DATA", str(mnist_root))
        train(MIXED, directory)
    return directory


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "sweep" / "run"))


@pytest.fixture
def edit(run: Path) -> Edit:
    def change(**entries: object) -> None:
        path = run / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | entries))

    return change


def replayed(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["replay", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def verdict(output: str) -> str:
    found = re.search(r"^(identical|equal within rounding|different)", output, re.MULTILINE)
    return found[1] if found else ""


def test_a_run_comes_out_identical_and_nothing_is_written(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in run.parent.rglob("*") if path.is_file()}
    code, output, errors = replayed(capsys, run)
    assert (code, verdict(output), errors) == (0, "identical", "")
    assert "predictions and weights" in output
    assert {path: path.read_bytes() for path in run.parent.rglob("*") if path.is_file()} == before


def test_epochs_stops_early(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, output, _ = replayed(capsys, run, "--epochs", 1)
    assert (code, verdict(output)) == (0, "identical")
    assert "epoch 1/1" in output
    assert "identical: 1 epoch\n" in output


def test_what_came_out_otherwise_is_said_with_its_epoch(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = run / "metrics.csv"
    header, first, second = path.read_text().splitlines()
    column = header.split(",").index("train_loss")
    values = second.split(",")
    values[column] = repr(float(values[column]) * 1.1)
    path.write_text("\n".join([header, first, ",".join(values), ""]))
    (run / "first_steps.csv").unlink()  # as in a run of an earlier version
    code, output, errors = replayed(capsys, run)
    assert (code, verdict(output)) == (1, "different")
    assert "from epoch 2 on" in output
    assert "train_loss of epoch 2" in output
    assert "warning" in errors


def test_another_number_of_threads_is_named(run: Path, edit: Edit, capsys: pytest.CaptureFixture[str]) -> None:
    # It was made on one thread, and says two: what differs is no more than rounding, whatever it has grown to.
    edit(threads=2)
    code, output, _ = replayed(capsys, run)
    assert code == 0
    assert verdict(output) in ("identical", "equal within rounding")


def test_what_it_was_made_with_is_named(run: Path, edit: Edit, capsys: pytest.CaptureFixture[str]) -> None:
    versions = json.loads((run / "manifest.json").read_text())["versions"]
    edit(host="elsewhere", versions={**versions, "torch": "1.0"})
    code, output, _ = replayed(capsys, run, "--epochs", 1)
    assert code == 0
    assert "torch 1.0, not" in output
    assert "host elsewhere, not" in output


@pytest.mark.parametrize("name", ["predictions", "weights"])
def test_a_file_that_was_changed_is_named(run: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if name == "predictions":
        predictions = np.load(run / "predictions.npy")
        predictions[0] += 1
        np.save(run / "predictions.npy", predictions)
    else:
        train([*MIXED, "seed=1"], run.parent / "other")
        shutil.copy(run.parent / "other" / "model.pt", run / "model.pt")
    code, output, _ = replayed(capsys, run)
    assert (code, verdict(output)) == (1, "different")
    assert f"the {name} are not" in output


def test_weights_that_are_gone_are_no_difference(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "model.pt").unlink()
    (run / "checkpoint.pt").unlink()
    code, output, _ = replayed(capsys, run)
    assert (code, verdict(output)) == (0, "identical")
    assert "not kept with the run, so not compared: weights" in output


def test_an_altered_manifest_is_named(run: Path, edit: Edit, capsys: pytest.CaptureFixture[str]) -> None:
    config = json.loads((run / "manifest.json").read_text())["config"]
    edit(config={**config, "seed": 7})
    code, output, errors = replayed(capsys, run)
    assert (code, output) == (1, "")
    assert "altered" in errors
    assert len(errors.splitlines()) == 1


def test_a_key_of_a_newer_version_is_named(run: Path, edit: Edit, capsys: pytest.CaptureFixture[str]) -> None:
    config = json.loads((run / "manifest.json").read_text())["config"]
    edit(config={**config, "model": {**config["model"], "zoneout": 0.1}})
    code, _, errors = replayed(capsys, run)
    assert code == 1
    assert "model.zoneout=0.1" in errors
    assert len(errors.splitlines()) == 1


def test_other_data_are_named(run: Path, edit: Edit, capsys: pytest.CaptureFixture[str]) -> None:
    edit(data_sha256="0123456789ab" + "0" * 52)
    code, output, errors = replayed(capsys, run)
    assert (code, verdict(output)) == (1, "")
    assert "0123456789ab" in errors


def test_what_is_no_run_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, errors = replayed(capsys, tmp_path)
    assert code == 1
    assert str(tmp_path) in errors
    assert len(errors.splitlines()) == 1
    code, _, errors = replayed(capsys, "--sweep", tmp_path / "none")
    assert code == 1
    assert len(errors.splitlines()) == 1


def test_runs_of_a_sweep_are_drawn_the_same_each_time(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(run, run.parent / "copy")
    code, output, _ = replayed(capsys, "--sweep", run.parent, "--sample", 1, "--epochs", 1, "--seed", 1)
    again = replayed(capsys, "--sweep", run.parent, "--sample", 1, "--epochs", 1, "--seed", 1)
    assert code == again[0] == 0
    assert output.splitlines()[0] == again[1].splitlines()[0]
    code, output, _ = replayed(capsys, "--sweep", run.parent, "--epochs", 1)
    assert code == 0
    assert output.splitlines()[-1] == "2 runs: 2 identical"
    code, _, errors = replayed(capsys, "--sweep", run.parent, "--sample", 3)
    assert code == 1
    assert "2 completed runs" in errors


@pytest.mark.slow
def test_the_code_of_a_run_makes_it_again(
    run: Path, edit: Edit, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(REPOSITORY), *arguments], capture_output=True, text=True, check=True
        ).stdout

    if subprocess.run(["git", "-C", str(REPOSITORY), "rev-parse"], capture_output=True, check=False).returncode:
        pytest.skip("not a checkout")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    head = git("rev-parse", "HEAD").strip()
    edit(code={"commit": head, "dirty": False, "source_sha256": None})
    assert main(["replay", str(run), "--code"]) == 0
    assert verdict(capfd.readouterr().out) == "identical"

    # A difference that has the network trained otherwise.
    line = "loss = functional.cross_entropy(logits.float(), labels, label_smoothing=training.label_smoothing)"
    place = "rnn_mnist/training/trainer.py"
    checkout = tmp_path / "checkout"
    git("worktree", "add", "--detach", "--quiet", str(checkout), head)
    try:
        source = (checkout / place).read_text()
        assert source.count(line) == 1
        (checkout / place).write_text(source.replace(line, f"{line} * 1.5"))
        difference = subprocess.run(
            ["git", "-C", str(checkout), "diff"], capture_output=True, text=True, check=True
        ).stdout
    finally:
        git("worktree", "remove", "--force", str(checkout))
    edit(code={"commit": head, "dirty": True, "source_sha256": None, "difference": difference})
    assert main(["replay", str(run), "--code", "--epochs", "1"]) == 1
    assert verdict(capfd.readouterr().out) == "different"

    for code, word in (
        ({"commit": "0" * 40, "dirty": False, "source_sha256": None}, "0" * 12),
        ({"commit": head, "dirty": True, "source_sha256": None}, "changes"),
        ({"commit": head, "dirty": False, "source_sha256": "1" * 64}, "1" * 12),
        ({"commit": None, "dirty": None, "source_sha256": None}, "installed"),
    ):
        edit(code=code)
        assert main(["replay", str(run), "--code"]) == 1
        errors = capfd.readouterr().err
        assert word in errors
        assert len(errors.splitlines()) == 1
    assert str(tmp_path) not in git("worktree", "list")


def test_what_a_dirty_checkout_has_more_is_recorded(tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(tmp_path / "clone")], check=True)
    package = tmp_path / "clone" / "rnn_mnist"
    (package / "errors.py").write_text((package / "errors.py").read_text() + "# changed\n")
    (package / "new.py").write_text("# new\n")
    program = (
        "import sys; sys.path.insert(0, '.'); from rnn_mnist.runs.provenance import code_version as c; "
        "print(c().difference)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path / "clone", capture_output=True, text=True, check=True
    )
    assert "+# changed" in done.stdout
    assert "+++ b/rnn_mnist/new.py" in done.stdout
