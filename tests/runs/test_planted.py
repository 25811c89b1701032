"""Runs that came from somebody else: whatever reads them executes nothing of theirs and touches nothing outside."""

import base64
import json
import os
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rnn_mnist.__main__ import main
from rnn_mnist.api import load_model
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.files import RunFormatError, load_predictions, results_are_whole
from rnn_mnist.runs.foreign_code import ForeignCodeError
from rnn_mnist.runs.record import find_runs, read_run
from rnn_mnist.runs.run import Run
from rnn_mnist.runs.sweep import update_results
from tests.synthetic_sweep import write_sweep

pytestmark = pytest.mark.slow

_LSTM_ONLY = ("cell", "proj_size", "forget_bias", "parameter_budget")


class Evil:
    """Leaves a file when its pickle is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sweep of eight runs of two settings, and the command's folder."""
    monkeypatch.chdir(tmp_path)
    write_sweep(Path("sweep"), {"model.num_layers": [1, 2]}, seeds=range(4))
    return Path("sweep")


def change(path: Path, **entries: Any) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | entries), encoding="utf-8")


def every_command(sweep: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Have each command read the sweep, each of which may refuse it in a line; what they print."""
    run = str(next(find_runs(sweep)))
    for arguments in (
        ["status", str(sweep)],
        ["runs", str(sweep)],
        ["runs", str(sweep), "--failed"],
        ["compare", str(sweep)],
        ["plot", str(sweep), "--kind", "confusion"],
        ["plot", str(sweep)],
        ["report", str(sweep)],
        ["explain", run],
    ):
        try:
            status = main(arguments)
        except SystemExit as exit_:
            status = exit_.code if isinstance(exit_.code, int) else 1
        assert status in (0, 1, 2), arguments
    printed = capsys.readouterr()
    assert "Traceback" not in printed.out + printed.err
    return printed.out + printed.err


def test_no_pickle_is_loaded(sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mark = tmp_path / "executed"
    evil = pickle.dumps(Evil(mark))
    array = np.empty(1, dtype=object)
    array[0] = Evil(mark)
    for number, run in enumerate(find_runs(sweep)):
        (run / ".failure.pickle").write_bytes(evil)
        (run / "checkpoint.pt").write_bytes(evil)
        (run / "model.pt").write_bytes(evil)
        change(run / "status.json", return_value_pickle=base64.b64encode(evil).decode())
        if number % 2:
            torch.save(Evil(mark), run / "model.pt")
            np.save(run / "predictions.npy", array, allow_pickle=True)
        else:
            (run / "predictions.npy").write_bytes(evil)
        for read in (lambda run=run: load_model(run), lambda run=run: load_predictions(run)):
            with pytest.raises(ExpectedError):
                read()
        assert not results_are_whole(run)
        with Run(run).directory.joinpath("manifest.json").open() as file:
            identifier = json.load(file)["run_id"]
        assert Run(run).load_checkpoint(identifier, torch.device("cpu")) is None
    every_command(sweep, capsys)
    assert not mark.exists()


def test_nothing_outside_is_read_or_written(sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outside = tmp_path / "elsewhere"
    shutil.copytree(sweep, outside / "sweep")
    stolen = next(find_runs(outside / "sweep"))
    change(stolen / "manifest.json", question="SECRET", overrides=["SECRET"])
    change(stolen / "status.json", state="running", error="SECRET", pid=None)  # whoever reads it would put it right
    (outside / "secret.csv").write_text("epoch,SECRET\n1,2\n")
    first, second, third, *_ = find_runs(sweep)
    shutil.rmtree(first)
    first.symlink_to(stolen)
    for name in ("manifest.json", "status.json", "result.json"):
        (second / name).unlink()
        (second / name).symlink_to(stolen / name)
    (third / "metrics.csv").unlink()
    (third / "metrics.csv").symlink_to(outside / "secret.csv")
    jobs = {"a": "../elsewhere/sweep/" + stolen.name, "b": str(stolen), "c": first.name, "d": "../../etc"}
    record = {"command": ["true"], "jobs": {key: {"directory": place} for key, place in jobs.items()}}
    (sweep / "sweep.json").write_text(json.dumps(record))
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in outside.rglob("*") if path.is_file()}
    printed = every_command(sweep, capsys)
    update_results(sweep)
    assert {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in outside.rglob("*") if path.is_file()
    } == before
    written = [
        path for path in sweep.rglob("*") if path.is_file() and not path.is_symlink() and first not in path.parents
    ]
    assert "SECRET" not in printed
    assert not [path for path in written if b"SECRET" in path.read_bytes()]


@pytest.mark.parametrize("how", ["pipe", "sparse", "folder", "zero"])
def test_what_is_no_file_holds_nobody(sweep: Path, how: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("manifest.json", "status.json", "result.json", "metrics.csv", "accuracy_by_step.csv", "predictions.npy")
    for run, name in zip(find_runs(sweep), (*names, "model.pt"), strict=False):
        spoil(run / name, how)
    for name in ("sweep.json", "results.csv", "looks.json", ".runs.json"):
        spoil(sweep / name, how)
    every_command(sweep, capsys)
    update_results(sweep)


def spoil(path: Path, how: str) -> None:
    """Put something in the place of a file."""
    path.unlink(missing_ok=True)
    if how == "pipe":
        os.mkfifo(path)
    elif how == "folder":
        path.mkdir()
    elif how == "zero":
        path.symlink_to("/dev/zero")
    else:
        with path.open("wb") as file:
            file.truncate(10 << 30)


@pytest.mark.parametrize("key", ["model", "data"])
def test_code_that_lies_with_the_runs_is_not_imported(
    sweep: Path, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mark = tmp_path / "executed"
    runs = list(find_runs(sweep))
    package = sweep / "evil_package"
    package.mkdir()
    (package / "code.py").write_text(f"open({str(mark)!r}, 'w')\nNet = load = print\n")
    monkeypatch.setattr(sys, "path", ["", *sys.path])  # as python -m has it
    for run in runs:
        content = json.loads((run / "manifest.json").read_text())
        if key == "model":
            model = content["config"]["model"]
            own = {"cell": "custom", "module": "sweep.evil_package.code.Net", "source": None}
            content["config"]["model"] = {key: model[key] for key in model if key not in _LSTM_ONLY} | own
            del content["changes"]
        else:
            content["config"]["data"] |= {"name": "custom", "loader": "sweep.evil_package.code.load"}
        (run / "manifest.json").write_text(json.dumps(content))
    every_command(sweep, capsys)
    if key == "model":
        with pytest.raises(ForeignCodeError, match="lies among the runs"):
            load_model(runs[0])
    assert not mark.exists()


def test_reading_needs_no_more_than_files(sweep: Path) -> None:
    run: Callable[[], Any] = lambda: read_run(next(find_runs(sweep)))  # noqa: E731
    assert run().state == "completed"
    (next(find_runs(sweep)) / "result.json").write_text('{"run_id": 7}')
    with pytest.raises(RunFormatError, match="run_id is 7"):
        run()
