"""A sweep's folder that came from somebody else: nothing of it is executed, nothing outside of it touched."""

import base64
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from tests.launcher.conftest import App

pytestmark = pytest.mark.slow


class Evil:
    """Leaves a file when its pickle is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """What a planted pickle makes when it is loaded; its pickles do that."""
    mark = tmp_path / "executed"
    pickle.loads(pickle.dumps(Evil(mark)))
    mark.unlink()
    return mark


def change(path: Path, **entries: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | entries), encoding="utf-8")


def test_no_pickle_is_loaded(app: App, mark: Path) -> None:
    assert app.run("+x=1,2,3", "+do=ok").returncode == 0
    evil = pickle.dumps(Evil(mark))
    text = base64.b64encode(evil).decode()
    for job in (0, 1, 2):
        change(app.sweep / str(job) / "status.json", return_value_pickle=text, value=text, failure=text, result=text)
        for name in (".failure.pickle", ".value.pickle", "output.pickle"):
            (app.sweep / str(job) / name).write_bytes(evil)
    change(app.sweep / "1" / "status.json", state="failed", error="boom")
    change(app.sweep / "2" / "status.json", state="running")
    change(app.sweep / "sweep.json", return_value_pickle=text)
    done = app.run("+x=1,2,3", "+do=ok")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(app.ran()) == ["ok 1", "ok 2", "ok 2", "ok 3", "ok 3"]
    app.sweep = app.folder / "other"
    assert app.run("+x=1,2,3", "+do=ok", "hydra.launcher.reuse=true").returncode == 0
    assert not mark.exists()


@pytest.mark.parametrize("place", ["../outside", "{absolute}", "linked", "linked/inner", "0/../../outside"])
def test_no_directory_of_a_sweep_record_leads_out_of_it(app: App, place: str) -> None:
    assert app.run("+x=1").returncode == 0
    outside = app.folder / "outside"
    (app.sweep / "0").rename(outside)
    (outside / "inner").mkdir()
    (app.sweep / "linked").symlink_to(outside)
    record = json.loads((app.sweep / "sweep.json").read_text())
    for job in record["jobs"].values():
        job["directory"] = place.format(absolute=outside)
    (app.sweep / "sweep.json").write_text(json.dumps(record))
    before = {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()}
    done = app.run("+x=1", "hydra.launcher.resume=false")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "leads out of the sweep" in done.stdout
    assert {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()} == before
    assert (app.sweep / "0" / "status.json").exists()


def test_two_jobs_never_get_one_directory(app: App) -> None:
    assert app.run("+x=1,2").returncode == 0
    record = json.loads((app.sweep / "sweep.json").read_text())
    for job in record["jobs"].values():
        job["directory"] = "0"
    (app.sweep / "sweep.json").write_text(json.dumps(record))
    assert app.run("+x=1,2").returncode == 0
    places = [job["directory"] for job in json.loads((app.sweep / "sweep.json").read_text())["jobs"].values()]
    assert len(set(places)) == 2
    assert [app.status(place)["overrides"] for place in sorted(places)] == [["+x=1"], ["+x=2"]]


def test_nothing_is_written_through_a_link(app: App) -> None:
    outside = app.folder / "outside"
    (outside / "hidden").mkdir(parents=True)
    for name in ("log", "app", "lock", "multirun", "sweep", "status"):
        (outside / name).write_text("mine")
    (app.sweep / "0").mkdir(parents=True)
    (app.sweep / ".lock").symlink_to(outside / "lock")
    (app.sweep / "multirun.yaml").symlink_to(outside / "multirun")
    (app.sweep / "sweep.json").symlink_to(outside / "sweep")
    (app.sweep / "0" / "output.log").symlink_to(outside / "log")
    (app.sweep / "0" / "app.log").symlink_to(outside / "app")
    (app.sweep / "0" / "status.json").symlink_to(outside / "status")
    (app.sweep / "0" / ".hydra").symlink_to(outside / "hidden")
    (app.sweep / "1").symlink_to(outside)
    app.run("+x=1,2")
    (app.sweep / ".lock").unlink()  # which alone ends a command
    done = app.run("+x=1,2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.name for path in outside.rglob("*")) == [
        "app",
        "hidden",
        "lock",
        "log",
        "multirun",
        "status",
        "sweep",
    ]
    assert all(path.read_text() == "mine" for path in outside.iterdir() if path.is_file())
    jobs = json.loads((app.sweep / "sweep.json").read_text())["jobs"].values()
    assert [app.status(job["directory"])["state"] for job in jobs] == ["completed", "completed"]


def test_pipes_hold_nobody(app: App) -> None:
    (app.sweep / "0").mkdir(parents=True)
    for name in ("multirun.yaml", "sweep.json", ".runs.json", "0/status.json", "0/output.log", "0/app.log"):
        os.mkfifo(app.sweep / name)
    os.mkfifo(app.folder / ".runs.json")
    done = app.run("+x=1", "hydra.launcher.reuse=true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert app.status(0)["state"] == "completed"
    again = app.run("+x=1")
    assert "1 already done" in again.stdout


def test_a_neighbours_links_and_pipes_are_not_taken(app: App) -> None:
    app.environment |= {"GIT_CEILING_DIRECTORIES": str(app.folder.parent)}
    app.sweep = app.folder / "sweeps" / "first"
    assert app.run("+x=1,2").returncode == 0
    secret = app.folder / "secret"
    secret.write_text("secret")
    (app.sweep / "0" / "data").symlink_to(secret)
    (app.sweep / "1" / "status.json").rename(app.folder / "status.json")
    (app.sweep / "1" / "status.json").symlink_to(app.folder / "status.json")
    app.sweep = app.sweep.with_name("second")
    done = app.run("+x=1,2", "hydra.launcher.reuse=true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is not taken from" in done.stdout
    assert sorted(app.ran()) == ["ok 1", "ok 1", "ok 2", "ok 2"]
    assert not any(path.is_symlink() for path in app.sweep.rglob("*"))
