"""Whatever stands in a record, reading it raises nothing; what is damaged is set aside and made again from the jobs."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydra_plugins.workstation_launcher import State, read_plain
from hydra_plugins.workstation_launcher._neighbours import INDEX, find_jobs
from hydra_plugins.workstation_launcher._records import (
    STATUS,
    SWEEP,
    SweepRecord,
    new_status,
    read_status,
    same_overrides,
)
from tests.launcher.conftest import App
from tests.mutations import mutated

pytestmark = pytest.mark.slow

_OFTEN = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def completed(directory: Path, fingerprint: str = "f" * 12) -> dict[str, Any]:
    """The content of the record of a completed job, which lies there."""
    directory.mkdir(parents=True)
    status = new_status(fingerprint, ["x=1"], directory, device="cpu", code_version="1", log="output.log")
    status.set_value(1.5)
    status.finish(State.completed)
    status.write(directory)
    content: dict[str, Any] = json.loads((directory / STATUS).read_text())
    return content


@_OFTEN
@given(data=st.data())
def test_no_status_raises(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    directory = tmp_path_factory.mktemp("job") / "0"
    content = data.draw(mutated(completed(directory), newer=False))
    (directory / STATUS).write_text(json.dumps(content))
    status = read_status(directory)
    if status is not None:
        assert status.process_is_gone() in (True, False)
        assert all(isinstance(each, str) for each in status.overrides)
        status.finish(State.failed, "it is")
        status.write(directory)
        assert read_status(directory) == status


@_OFTEN
@given(data=st.data())
def test_no_sweep_record_raises(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    sweep = tmp_path_factory.mktemp("sweep")
    completed(sweep / "0")
    record = SweepRecord.load(sweep)
    record.write(factors={"x": ["1", "2"]}, code_version="1")
    content = data.draw(mutated(json.loads((sweep / SWEEP).read_text()), newer=False))
    (sweep / SWEEP).write_text(json.dumps(content))
    record = SweepRecord.load(sweep)
    for job in record.jobs.values():
        assert (sweep / job["directory"]).resolve().is_relative_to(sweep.resolve())
    record.write(factors={}, code_version=None)
    assert SweepRecord.load(sweep).jobs == record.jobs


@_OFTEN
@given(data=st.data())
def test_no_index_raises_or_leads_elsewhere(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    parent = tmp_path_factory.mktemp("sweeps")
    completed(parent / "first" / "0")
    os.utime(parent / "first", (1, 1))
    os.utime(parent / "first" / "0", (1, 1))
    assert find_jobs(parent / "second", ["f" * 12]) == {"f" * 12: [parent / "first" / "0"]}
    content = data.draw(mutated(json.loads((parent / INDEX).read_text())))
    (parent / INDEX).write_text(json.dumps(content))
    for paths in find_jobs(parent / "second", ["f" * 12]).values():
        assert all(path.resolve().is_relative_to(parent.resolve()) for path in paths)


def spoil(path: Path, how: str) -> None:
    """Put something in the place of a file."""
    path.unlink(missing_ok=True)
    if how == "folder":
        path.mkdir()
        (path / "kept").touch()
    elif how == "pipe":
        os.mkfifo(path)
    elif how == "sparse":
        with path.open("wb") as file:
            file.truncate(10 << 30)
    else:
        path.write_text(how, encoding="utf-8")


@pytest.mark.parametrize(
    "how", ["folder", "pipe", "sparse", "", '{"jobs": {"f": null}}', '{"jobs": {"f": {"directory": 7}}}']
)
def test_a_damaged_sweep_record_is_kept_and_made_again(app: App, how: str) -> None:
    assert app.run("+x=1,2").returncode == 0
    spoil(app.sweep / SWEEP, how)
    again = app.run("+x=1,2,3")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "2 already done" in again.stdout
    assert again.stdout.count("sweep.json is damaged; it is kept as sweep.json.damaged") == 1
    assert os.path.lexists(app.sweep / f"{SWEEP}.damaged")
    assert len(json.loads(read_plain(app.sweep / SWEEP))["jobs"]) == 3
    assert len(app.ran()) == 3


@pytest.mark.parametrize("how", ["folder", "pipe", "sparse", '{"fingerprint": "f", "attempts": null}'])
def test_a_damaged_status_is_kept_and_its_job_alone_is_run_again(app: App, how: str) -> None:
    assert app.run("+x=1,2").returncode == 0
    spoil(app.sweep / "0" / STATUS, how)
    again = app.run("+x=1,2")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "1 already done" in again.stdout
    assert again.stdout.count("status.json is damaged; it is kept as status.json.damaged") == 1
    assert os.path.lexists(app.sweep / "0" / f"{STATUS}.damaged")
    assert app.status(0)["state"] == "completed"
    assert sorted(app.ran()) == ["ok 1", "ok 1", "ok 2"]


@pytest.mark.parametrize("how", ["folder", "pipe", "*a", "{a: [b", "7", "- +x=2", "\0", "&a [*a]"])
def test_foreign_overrides_are_another_job(tmp_path: Path, how: str) -> None:
    path = tmp_path / "overrides.yaml"
    assert same_overrides(path, ["+x=1"]) is None
    path.write_text("- +x=1\n")
    assert same_overrides(path, ["+x=1"])
    spoil(path, how)
    assert same_overrides(path, ["+x=1"]) is False


def test_a_job_goes_elsewhere_where_something_foreign_lies(app: App) -> None:
    (app.sweep / "0" / ".hydra").mkdir(parents=True)
    (app.sweep / "0" / ".hydra" / "overrides.yaml").write_bytes(b"\xff\xfe{")
    done = app.run("+x=1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (app.sweep / "0" / STATUS).exists()
    assert app.status(1)["state"] == "completed"
