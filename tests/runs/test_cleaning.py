"""Removing failed runs."""

import json
from pathlib import Path

import pytest
from filelock import FileLock

from hydra_plugins.workstation_launcher import State
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.runs.cleaning import SweepInUseError, remove_failed
from rnn_mnist.runs.record import find_runs, read_run
from rnn_mnist.runs.run import Run
from tests.synthetic_sweep import write_sweep


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Of six runs, of which two have failed."""
    directory = tmp_path / "sweep"
    write_sweep(directory, {"model.num_layers": [1, 2]}, seeds=range(3), states={2: "failed", 4: "failed"})
    runs = {path.name: {"directory": path.name} for path in find_runs(directory)}
    (directory / "sweep.json").write_text(json.dumps({"schema_version": 1, "jobs": runs}))
    return directory


def states(sweep: Path) -> list[State]:
    return sorted(read_run(run).state for run in find_runs(sweep))


def first_failed(sweep: Path) -> Path:
    return next(record.directory for record in load_runs(sweep).records if record.state == State.failed)


def test_failed_runs_and_their_rows_are_gone_and_no_others(sweep: Path) -> None:
    before = states(sweep)
    assert before.count(State.failed) == 2
    removed = remove_failed(load_runs(sweep).records)
    assert len(removed) == 2
    assert states(sweep) == [state for state in before if state != State.failed]
    assert not any(path.name.startswith(".removed") for path in sweep.iterdir())
    planned = json.loads((sweep / "sweep.json").read_text())["jobs"]
    assert set(planned) == {run.name for run in find_runs(sweep)}
    assert len((sweep / "results.csv").read_text().splitlines()) == 1 + len(planned)


def test_nothing_is_removed_while_a_command_is_at_work(sweep: Path) -> None:
    records = load_runs(sweep).records
    with FileLock(sweep / ".lock"), pytest.raises(SweepInUseError, match="sweep"):
        remove_failed(records)
    assert states(sweep).count(State.failed) == 2


def test_a_run_that_is_tried_again_stays(sweep: Path) -> None:
    records = load_runs(sweep).records
    again, other = (record.directory for record in records if record.state == State.failed)
    run = Run(again)
    run.lock()
    try:
        assert remove_failed(records) == [other]
    finally:
        run.unlock()
    assert again.exists()


def test_links_are_not_followed(sweep: Path, tmp_path: Path) -> None:
    failed = first_failed(sweep)
    outside = failed.rename(tmp_path / "outside")
    failed.symlink_to(outside)
    assert failed not in remove_failed(load_runs(sweep).records)
    assert (outside / "manifest.json").exists()


def test_what_a_killed_clean_left_is_removed_too(sweep: Path) -> None:
    leftover = sweep / f".removed-{first_failed(sweep).name}"
    leftover.mkdir()
    (leftover / "model.pt").touch()
    assert len(remove_failed(load_runs(sweep).records)) == 2
    assert not leftover.exists()


def test_a_run_may_be_named_from_within(sweep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = first_failed(sweep)
    monkeypatch.chdir(failed)
    assert remove_failed(load_runs(".").records) == [failed]
    assert states(sweep).count(State.failed) == 1
