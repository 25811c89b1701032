"""A run that is taken up again or skipped: with what it was made, and what is said or refused."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from hydra_plugins.workstation_launcher import State
from rnn_mnist.runs.provenance import OtherDataError
from rnn_mnist.runs.record import read_run
from rnn_mnist.training.execution import execution
from rnn_mnist.training.one_run import train_run
from rnn_mnist.training.trainer import Trainer
from tests.conftest import small


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def edit(path: Path, **entries: Any) -> None:
    path.write_text(json.dumps(read(path) | entries), encoding="utf-8")


def interrupt_after_an_epoch(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train_epoch = Trainer.train_epoch

    def one_epoch(trainer: Trainer, *arguments: Any) -> Any:
        if trainer.history:
            raise KeyboardInterrupt
        return train_epoch(trainer, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "train_epoch", one_epoch)
        with pytest.raises(KeyboardInterrupt):
            train_run(small(), run, [])


def test_epochs_of_other_data_are_not_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = tmp_path / "run"
    interrupt_after_an_epoch(run, monkeypatch)
    assert read_run(run).state == State.interrupted
    manifest = read(run / "manifest.json")
    edit(run / "manifest.json", data_sha256="1" * 64, threads=63)
    for _ in range(2):
        with pytest.raises(OtherDataError):
            train_run(small(), run, [])
        record = read_run(run)
        assert record.state == State.failed
        assert record.error is not None
        assert "1" * 12 in record.error
    # With the data back, it goes on; what else differed is said and kept.
    attempts = read(run / "manifest.json")["earlier_attempts"]
    attempts[0]["data_sha256"] = manifest["data_sha256"]
    edit(run / "manifest.json", earlier_attempts=attempts)
    caplog.clear()
    with caplog.at_level(logging.INFO):
        train_run(small(), run, [])
    assert "continuing after epoch 1" in caplog.text
    assert caplog.text.count("threads 63, not 1") == 1
    record = read_run(run)
    assert record.state == State.completed
    assert record.attempt.data_sha256 == manifest["data_sha256"]
    assert [attempt["threads"] for attempt in read(run / "manifest.json")["earlier_attempts"]] == [63, 1, 1]


def test_a_run_that_is_skipped_is_compared_and_put_right(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = tmp_path / "run"
    value = train_run(small(), run, ["seed=0"])
    written = (run / "metrics.csv").stat().st_mtime_ns
    # As it is if the process is killed between the writing of result.json and of status.json.
    edit(run / "status.json", state="running", return_value=None, pid=None)
    edit(run / "manifest.json", host="elsewhere", versions={"torch": "1.0"})
    caplog.clear()
    assert train_run(small(), run, []) == value
    assert read(run / "status.json")["state"] == "completed"
    assert read(run / "status.json")["return_value"] == value
    assert "host elsewhere, not" in caplog.text
    assert "torch 1.0, not" in caplog.text
    edit(run / "manifest.json", data_sha256="1" * 64)
    with pytest.raises(OtherDataError):
        train_run(small(), run, [])
    assert (run / "metrics.csv").stat().st_mtime_ns == written
    train_run(small("resume=false"), run, [])
    assert (run / "metrics.csv").stat().st_mtime_ns > written


def test_an_interruption_while_the_compiler_is_imported_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch imports its compiler to be deterministic, and half of it cannot be imported again."""
    errors = iter([KeyboardInterrupt(), AttributeError("module 'torch._dynamo' has no attribute 'utils'")])

    def half_imported(*_: object, **__: object) -> None:
        raise next(errors)

    monkeypatch.setattr(torch, "use_deterministic_algorithms", half_imported)
    with pytest.raises(KeyboardInterrupt), execution(small().config, torch.device("cpu")):
        pass
