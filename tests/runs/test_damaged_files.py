"""Whatever stands in a run's JSON files, reading the run is a record or one line."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnn_mnist.runs.files import RunFormatError
from rnn_mnist.runs.looks import look_at
from rnn_mnist.runs.record import find_runs, read_run
from rnn_mnist.runs.run import Run
from rnn_mnist.runs.sweep import planned_runs, update_results
from tests.mutations import mutated
from tests.synthetic_sweep import write_sweep

_OFTEN = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A completed run, which each example changes and puts right again."""
    write_sweep(tmp_path_factory.mktemp("sweeps") / "sweep", {"model.num_layers": [1]}, seeds=range(1))
    return next(find_runs(next(tmp_path_factory.getbasetemp().glob("sweeps*/sweep"))))


@pytest.mark.parametrize("name", ["manifest.json", "status.json", "result.json"])
@_OFTEN
@given(data=st.data())
def test_a_run_is_read_or_refused_in_a_line(run: Path, name: str, data: st.DataObject) -> None:
    before = {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
    (run / name).write_text(json.dumps(data.draw(mutated(json.loads(before[run / name])))), encoding="utf-8")
    try:
        record = read_run(run)
        record.row()
        look_at([record])
    except RunFormatError as error:
        assert str(run) in str(error)  # noqa: PT017
        assert len(str(error).splitlines()) == 1  # noqa: PT017
    update_results(run.parent)
    for path, content in before.items():
        path.write_bytes(content)


@_OFTEN
@given(data=st.data())
def test_a_plan_is_read_or_refused_in_a_line(run: Path, data: st.DataObject) -> None:
    content = {"command": ["a"], "jobs": {"f": {"directory": run.name, "overrides": ["x=1"]}}, "schema_version": 1}
    path = run.parent / "sweep.json"
    path.write_text(json.dumps(data.draw(mutated(content))), encoding="utf-8")
    try:
        for planned in planned_runs(run.parent):
            assert planned.resolve().is_relative_to(run.parent.resolve())
    except RunFormatError as error:
        assert str(path) in str(error)  # noqa: PT017
    path.unlink()


@pytest.mark.parametrize("name", ["manifest.json", "result.json", "metrics.csv", "model.pt", "checkpoint.pt"])
@pytest.mark.parametrize("how", ["{", "folder"])
def test_a_run_that_begins_sets_aside_what_is_damaged(
    run: Path, tmp_path: Path, name: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    path = tmp_path / name
    if how == "folder":
        path.mkdir()
    else:
        path.write_text(how)
    Run(tmp_path).start(manifest, resume=True)
    is_json = name.endswith(".json")
    assert (tmp_path / f"{name}.damaged").exists() == (is_json or how == "folder")
    assert [f"{name} is damaged; it is kept as" in record.message for record in caplog.records] == [True] * (
        is_json or how == "folder"
    )
    assert Run(tmp_path).manifest()["run_id"] == manifest["run_id"]
