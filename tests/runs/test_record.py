"""One record of a run: how it stands whatever was killed, and one row for every table."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from filelock import FileLock

from hydra_plugins.workstation_launcher import State
from rnn_mnist.analysis.reading.levels import plain
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.configuration.change import Change
from rnn_mnist.runs.files import RunFormatError
from rnn_mnist.runs.provenance import attempt_here
from rnn_mnist.runs.record import manifest_of, read_run
from rnn_mnist.runs.run import Run
from rnn_mnist.runs.sweep import update_results
from tests.conftest import small
from tests.synthetic_sweep import write_sweep

RESULT = {
    "best_epoch": 1, "val_accuracy": 0.5, "test_accuracy": 0.4, "test_loss": 1.0, "parameters": 7,
    "train_seconds": 1.0, "images_per_second": 9.0, "peak_memory_mib": None, "device": "cpu",
}  # fmt: skip


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def edit(path: Path, **entries: Any) -> None:
    path.write_text(json.dumps(read(path) | entries), encoding="utf-8")


def a_dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def in_a_child(do: Callable[[], None]) -> int:
    """Do it in a forked process; the exit status, negative for a signal."""
    child = os.fork()
    if child == 0:
        try:
            do()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_at_write(number: int, *, before_the_rename: bool) -> None:
    """Make this process end as by ``kill -9`` in its n-th write of a file."""
    replace, written = Path.replace, 0

    def counted(path: Path, target: Path) -> Path:
        nonlocal written
        written += 1
        if written == number and before_the_rename:
            os.kill(os.getpid(), signal.SIGKILL)
        moved = replace(path, target)
        if written == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return moved

    Path.replace = counted  # type: ignore[method-assign, assignment]  # in a process that ends by it


def make_run(directory: Path) -> tuple[Run, dict[str, Any]]:
    """A run that has trained and is about to record its result, and its manifest; training is not what is tested."""
    manifest = manifest_of(small(), ["seed=0"], attempt_here())
    run = Run(directory)
    run.lock()
    run.start(manifest, resume=True)
    for name in ("metrics.csv", "predictions.npy", "accuracy_by_step.csv", "model.pt"):
        (directory / name).write_bytes(b"x")
    return run, manifest


@pytest.mark.parametrize("before_the_rename", [True, False])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_run_killed_while_it_completes_is_what_its_files_say(
    tmp_path: Path, number: int, *, before_the_rename: bool
) -> None:
    directory = tmp_path / "sweep" / "run"

    def complete() -> None:
        run, manifest = make_run(directory)
        kill_at_write(number, before_the_rename=before_the_rename)
        run.complete({"run_id": manifest["run_id"], **RESULT})

    assert in_a_child(complete) == -signal.SIGKILL
    whole = (number, before_the_rename) not in [(1, True), (1, False), (2, True)]
    record = read_run(directory)
    assert record.state == (State.completed if whole else State.interrupted)
    assert record.result.get("test_accuracy") == (0.4 if whole else None)
    status = read(directory / "status.json")
    assert status["state"] == record.state
    assert status["return_value"] == (0.5 if whole else None)
    assert not [path for path in directory.iterdir() if path.name.startswith(".") and path.name != ".lock"]
    assert read_run(directory) == record


def test_the_next_attempt_at_what_was_killed_counts_on(tmp_path: Path) -> None:
    def die() -> None:
        make_run(tmp_path / "run")
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_a_child(die) == -signal.SIGKILL
    run, _ = make_run(tmp_path / "run")
    run.fail("no")
    assert read(tmp_path / "run" / "status.json")["attempts"] == 2
    (earlier,) = read(tmp_path / "run" / "manifest.json")["earlier_attempts"]
    assert earlier["versions"] == dict(attempt_here().versions)
    assert earlier["start"]
    assert earlier["host"]


def test_a_prepared_run_is_no_earlier_attempt(tmp_path: Path) -> None:
    manifest = manifest_of(small(), [], attempt_here())
    Run(tmp_path / "run").prepare(manifest)
    assert read_run(tmp_path / "run").state == State.interrupted
    run, _ = make_run(tmp_path / "run")
    assert read(tmp_path / "run" / "manifest.json")["earlier_attempts"] == []
    assert read_run(tmp_path / "run").state == State.running
    run.complete({"run_id": manifest["run_id"], **RESULT})
    run.unlock()
    before = read(tmp_path / "run" / "manifest.json")
    Run(tmp_path / "run").prepare(manifest)
    assert read(tmp_path / "run" / "manifest.json") == before


@pytest.mark.parametrize("old", [False, True])
def test_a_running_run_whose_process_is_gone_is_interrupted(tmp_path: Path, *, old: bool) -> None:
    (run,) = write_sweep(tmp_path / "s", {"model.num_layers": [1]}, seeds=[0], states={0: "running"})
    status = read(run / "status.json")
    assert read_run(run).state == State.running
    process = {"host": None, "pid": None} if old else {"pid": a_dead_process()}
    edit(run / "status.json", **process)
    (run / ".manifest.json.abc").write_text("half", encoding="utf-8")
    lock = FileLock(run / ".lock")
    with lock:
        assert read_run(run).state == State.running
    with FileLock(tmp_path / "s" / ".lock"):  # a launcher is at work, and will say itself what became of it
        assert read_run(run).state == State.interrupted
        assert read(run / "status.json")["state"] == "running"
    assert read_run(run).state == State.interrupted
    assert read(run / "status.json")["state"] == "interrupted"
    assert not (run / ".manifest.json.abc").exists()
    edit(run / "status.json", **status)
    edit(run / "status.json", host="elsewhere", pid=a_dead_process())
    assert read_run(run).state == State.running


def test_a_completed_run_without_its_result_is_to_be_done(tmp_path: Path) -> None:
    (run,) = write_sweep(tmp_path / "s", {"model.num_layers": [1]}, seeds=[0])
    (run / "result.json").unlink()
    assert read_run(run).state == State.interrupted
    assert read(run / "status.json")["state"] == "interrupted"


def sweep_of_every_state(sweep: Path) -> dict[str, Path]:
    """A sweep with runs in every state, and those that died in their own ways."""
    states = {1: "failed", 2: "running", 3: "interrupted", 6: "pruned", 7: "queued"}
    runs = write_sweep(
        sweep, {"model.num_layers": [1, 2], "training.gradient_clip_norm": [None, 3.0], "model": ["rnn", "gru"]},
        seeds=[0], states=states,
    )  # fmt: skip
    change = Change("model.dropout", 0.5, 0.0, {"model.num_layers": 1}, "dropout acts between layers")
    edit(runs[0] / "manifest.json", changes=[vars(change)], requested={"model.dropout": 0.5})
    # Killed before it wrote anything of its own: the launcher had written its manifest and recorded the death.
    dead = {"state": "failed", "error": 'killed by SIGKILL, "early"', "fingerprint": read_run(runs[4]).run_id}
    (runs[4] / "status.json").write_text(json.dumps(dead), encoding="utf-8")
    # Its process died with all that watched it.
    edit(runs[5] / "status.json", state="running", host=socket.gethostname(), pid=a_dead_process())
    for run in (runs[4], runs[5]):
        edit(run / "manifest.json", start=None, end=None, device=None, threads=None, data_sha256=None)
        for path in run.glob("[!ms]*"):
            path.unlink()
    # A sweep of an older version had no manifest of a job that died before it came to train.
    shutil.copytree(runs[4], sweep / "older")
    (sweep / "older" / "manifest.json").unlink()
    edit(sweep / "older" / "status.json", fingerprint="0123456789ab")
    return {"changed": runs[0], "killed": runs[4], "gone": runs[5], "older": sweep / "older"}


def assert_equal_tables(sweep: Path) -> pd.DataFrame:
    frame = load_runs(sweep).frame
    table = pd.read_csv(sweep / "results.csv")
    assert list(table.columns) == list(frame.columns)
    assert len(table) == len(frame)
    for column in frame.columns:
        for here, there in zip(frame[column], table[column], strict=True):
            here = json.dumps(here, default=vars) if isinstance(here, tuple) else plain(here)
            assert here == plain(there), column
    return frame


def test_results_csv_is_the_frame_cell_by_cell(tmp_path: Path) -> None:
    sweep = tmp_path / "s"
    which = sweep_of_every_state(sweep)
    (sweep / "results.csv").unlink()
    frame = assert_equal_tables(sweep).set_index("directory")
    assert set(frame["status"]) == set(State)
    assert (frame["status"] == "failed").sum() == 3
    for name in ("killed", "older"):
        assert frame.loc[str(which[name]), "error"] == 'killed by SIGKILL, "early"'
    assert frame.loc[str(which["gone"]), "status"] == "interrupted"
    assert frame.loc[str(which["killed"]), "model.num_layers"] == 2
    ((change,),) = frame.loc[[str(which["changed"])], "changes"]
    assert (change.key, change.requested, change.effective) == ("model.dropout", 0.5, 0.0)
    records = {record.directory: record for record in load_runs(sweep).records}
    assert records[which["changed"]].requested == {"model.dropout": 0.5}
    content = (sweep / "results.csv").read_bytes()
    update_results(sweep)
    assert (sweep / "results.csv").read_bytes() == content


def test_changes_of_an_old_manifest_are_resolved(tmp_path: Path) -> None:
    runs = write_sweep(
        tmp_path / "s", {"model.num_layers": [1, 2], "model.dropout": [0.5], "schedule": ["constant", "one_cycle"]},
        seeds=[0],
    )  # fmt: skip
    for run in runs:
        recorded = {(change.key, change.effective, change.reason) for change in read_run(run).changes}
        manifest = read(run / "manifest.json")
        del manifest["changes"]
        (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        assert {(change.key, change.effective, change.reason) for change in read_run(run).changes} == recorded
    assert recorded == {("optimizer.beta1", 0.95, "one cycle moves it from 0.95 to 0.85 and back")}
    for unknown in ({"cell": "transformer"}, {"kind": "lstm", **manifest["config"]["model"]}):
        edit(run / "manifest.json", config=manifest["config"] | {"model": unknown})
        assert read_run(run).changes == ()


def test_a_removed_run_leaves_no_ghost(tmp_path: Path) -> None:
    runs = write_sweep(tmp_path / "all" / "s", {"model.num_layers": [1, 2, 3]}, seeds=[0])
    update_results(tmp_path / "all" / "s")
    shutil.rmtree(runs[0])
    update_results(tmp_path / "all" / "s", runs[1])
    assert len(pd.read_csv(tmp_path / "all" / "s" / "results.csv")) == 2
    shutil.rmtree(runs[1])
    load_runs(tmp_path / "all")
    assert list(pd.read_csv(tmp_path / "all" / "s" / "results.csv")["directory"]) == [str(runs[2])]
    assert_equal_tables(tmp_path / "all" / "s")


def test_reading_writes_no_table_where_none_belongs_and_needs_none(tmp_path: Path) -> None:
    (run, other) = write_sweep(tmp_path / "s", {"model.num_layers": [1, 2]}, seeds=[0])
    shutil.copytree(run, tmp_path / "folder" / "run")
    assert len(load_runs(tmp_path / "folder").records) == 1
    assert not (tmp_path / "folder" / "results.csv").exists()
    assert not (run / "results.csv").exists()
    # A table that cannot be written, whoever runs this test.
    (tmp_path / "s" / "results.csv").unlink()
    (tmp_path / "s" / "results.csv").mkdir()
    shutil.rmtree(other)
    assert len(load_runs(tmp_path / "s").records) == 1


def test_what_is_no_run_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunFormatError):
        read_run(tmp_path)
    for content in (
        "[]",
        "{",
        "7",
        '{"schema_version": "new"}',
        '{"state": ["x"]}',
        '{"state": "completed"}',
        "[" * 9999,
    ):
        (tmp_path / "status.json").write_text(content, encoding="utf-8")
        with pytest.raises(RunFormatError) as caught:
            read_run(tmp_path)
        assert str(tmp_path) in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1
    (tmp_path / "status.json").unlink()
    (tmp_path / "status.json").mkdir()
    with pytest.raises(RunFormatError, match="cannot be read"):
        read_run(tmp_path)
