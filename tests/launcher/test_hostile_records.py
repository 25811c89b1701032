"""What lies on a disk is data: anybody may have written into it, and nothing of it is executed or leads elsewhere."""

import base64
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_plugins.workstation_launcher._records import Status, SweepRecord, new_status, read_status
from tests.launcher.conftest import App

pytestmark = pytest.mark.slow

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


class Evil:
    def __init__(self, planted: Path) -> None:
        self.planted = planted

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.planted),))


def test_pickles_in_a_sweeps_folder_are_not_read(app: App) -> None:
    assert app.run("+x=1,2").returncode == 0
    planted = app.folder / "planted"
    evil = pickle.dumps(Evil(planted))
    content = app.status(0)
    content["return_value_pickle"] = base64.b64encode(evil).decode()
    content["return_value"] = None
    (app.sweep / "0" / "status.json").write_text(json.dumps(content))
    content = app.status(1)
    (app.sweep / "1" / "status.json").write_text(json.dumps({**content, "state": "failed"}))
    (app.sweep / "1" / ".failure.pickle").write_bytes(evil)
    assert app.run("+x=1,2", "hydra.launcher.retry_failed=false").returncode == 1
    assert app.run("+x=1,2").returncode == 0
    assert not planted.exists()


@pytest.mark.parametrize("place", ["../../../evil", "/tmp/evil", "", ".", "a/../../evil", "link", 7, None])
def test_an_index_that_leads_out_of_the_folder_is_set_aside(app: App, place: Any) -> None:
    assert app.run("+x=1").returncode == 0
    elsewhere = app.folder / "elsewhere"
    elsewhere.mkdir()
    (app.sweep / "link").symlink_to(elsewhere)
    index = app.sweep / "sweep.json"
    content = json.loads(index.read_text())
    for entry in content["jobs"].values():
        entry["directory"] = place
    index.write_text(json.dumps(content))
    done = app.run("+x=1,2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert app.ran() == ["ok 1", "ok 2"]
    assert not any(elsewhere.iterdir())
    assert "warning: " in done.stdout
    assert {entry["directory"] for entry in json.loads(index.read_text())["jobs"].values()} == {"0", "1"}


@pytest.mark.parametrize("damage", [{"attempts": None}, {"state": 7}, {"overrides": "x"}, {"seconds": "long"}])
def test_a_record_of_other_types_is_set_aside_and_the_job_is_done(app: App, damage: dict[str, Any]) -> None:
    assert app.run("+x=1").returncode == 0
    (app.sweep / "0" / "status.json").write_text(json.dumps({**app.status(0), **damage}))
    assert app.run("+x=1").returncode == 0
    assert app.ran() == ["ok 1", "ok 1"]
    assert app.status(0)["state"] == "completed"
    assert (app.sweep / "0" / "status.json.damaged").exists()


@pytest.mark.parametrize("name", ["sweep.json", "0/status.json", "0/.hydra/overrides.yaml"])
def test_a_folder_in_the_place_of_a_file(app: App, name: str) -> None:
    assert app.run("+x=1").returncode == 0
    (app.sweep / name).unlink()
    (app.sweep / name).mkdir()
    done = app.run("+x=1,2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"!!python/object/apply:os.mkdir [planted]", b"[" * 5000, b"a: *b"]
)
def test_foreign_overrides_are_not_ours(app: App, content: bytes) -> None:
    hydra = app.sweep / "0" / ".hydra"
    hydra.mkdir(parents=True)
    (hydra / "overrides.yaml").write_bytes(content)
    done = app.run("+x=1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (hydra / "overrides.yaml").read_bytes() == content
    assert not (app.folder / "planted").exists()


@settings(max_examples=200, deadline=None)
@given(key=st.sampled_from([*Status.__dataclass_fields__]), value=JSON)
def test_no_content_of_a_record_raises(tmp_path_factory: pytest.TempPathFactory, key: str, value: Any) -> None:
    folder = tmp_path_factory.mktemp("record")
    status = new_status("f", ["+x=1"], folder)
    status.write(folder)
    content = json.loads((folder / "status.json").read_text())
    (folder / "status.json").write_text(json.dumps({**content, key: value}))
    if key == "schema_version":
        return
    found = read_status(folder)
    assert found is None or isinstance(found.attempts, int)
    new_status("f", ["+x=1"], folder).write(folder)
    assert read_status(folder) is not None


@settings(max_examples=100, deadline=None)
@given(jobs=JSON)
def test_no_content_of_an_index_raises(tmp_path_factory: pytest.TempPathFactory, jobs: Any) -> None:
    folder = tmp_path_factory.mktemp("index")
    (folder / "sweep.json").write_text(json.dumps({"jobs": jobs}))
    record = SweepRecord.load(folder)
    record.add("0", ["+x=1"], "f")
    record.write(factors={}, code_version=None)
    assert SweepRecord.load(folder).jobs["f"]["directory"] == "0"
