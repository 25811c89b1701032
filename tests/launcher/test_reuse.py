"""What a neighbouring sweep has completed is taken over, whole and checked, instead of being run again."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hydra_plugins.workstation_launcher import _neighbours
from hydra_plugins.workstation_launcher._neighbours import INDEX, find_jobs
from hydra_plugins.workstation_launcher._reuse import unshare
from tests.launcher.conftest import App

pytestmark = pytest.mark.slow

REUSE = "hydra.launcher.reuse=true"


@pytest.fixture
def app(app: App) -> App:
    """The application, which leaves a result and a log, with a folder of sweeps and what it has to say of them."""
    (app.folder / "app.py").write_text(
        (app.folder / "app.py").read_text().replace(
            '    if do == "raise":',
            '    (here / "result.txt").write_text(str(config.get("x")))\n    if do == "raise":',
        )
    )  # fmt: skip
    (app.folder / "hooks.py").write_text(
        "import os\n\n\n"
        "def whole(directory, identities):\n    return (directory / 'result.txt').stat().st_size > 0\n\n\n"
        "def kill(config, source, directory):\n    os.kill(os.getpid(), 9)\n\n\n"
        "def refuse(config, source, directory):\n    raise OSError('full')\n"
    )
    app.environment |= {"GIT_CEILING_DIRECTORIES": str(app.folder.parent)}
    return app


def run(app: App, name: str, *overrides: str, reuse: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run a sweep of that name."""
    app.sweep = app.folder / "sweeps" / name
    done = app.run(*overrides, *([REUSE] if reuse else []))
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def results(app: App) -> dict[str, str]:
    return {path.parent.name: path.read_text() for path in app.sweep.glob("*/result.txt")}


def test_what_is_next_door_is_taken_over_and_only_the_rest_is_run(app: App) -> None:
    run(app, "first", "+x=1,2,3", reuse=False)
    source = json.loads((app.sweep / "1" / "status.json").read_text())
    done = run(app, "second", "+x=4,2,1")
    assert app.ran() == ["ok 1", "ok 2", "ok 3", "ok 4"] or sorted(app.ran()) == ["ok 1", "ok 2", "ok 3", "ok 4"]
    assert "3 jobs, 2 taken from" in done.stdout
    assert f"2 taken from {app.sweep.with_name('first')}, 1 to run" in done.stdout
    assert "3 completed (2 of them taken from" in done.stdout
    assert results(app) == {"0": "4", "1": "2", "2": "1"}
    taken = json.loads((app.sweep / "1" / "status.json").read_text())
    assert taken == source | {"overrides": ["+x=2"]}
    assert (app.sweep / "1" / ".hydra" / "overrides.yaml").read_text() == "- +x=2\n"
    again = run(app, "second", "+x=1,2,4")
    assert "3 already done" in again.stdout
    assert len(app.ran()) == 4


def test_it_is_an_option(app: App) -> None:
    run(app, "first", "+x=1", reuse=False)
    run(app, "second", "+x=1", reuse=False)
    run(app, "third", "+x=1", "hydra.launcher.resume=false")
    assert app.ran() == ["ok 1"] * 3


@pytest.mark.slow
def test_several_sources_are_counted(app: App) -> None:
    for number in (1, 2, 3):
        run(app, f"from{number}", f"+x={number}")
    done = run(app, "all", "+x=1,2,3")
    assert f"3 jobs, 3 taken from {app.sweep.with_name('from1')} and 2 others, 0 to run" in done.stdout
    assert len(app.ran()) == 3


def test_a_dry_run_says_it_and_writes_nothing(app: App) -> None:
    run(app, "first", "+x=1")
    before = sorted(app.folder.rglob("*"))
    app.environment["COLUMNS"] = "300"
    done = run(app, "second", "+x=1,2", "hydra.launcher.dry_run=true")
    assert f"taken from {app.sweep.with_name('first')}" in done.stdout
    assert "1 of 2 jobs to do" in done.stdout
    assert sorted(app.folder.rglob("*")) == before


def test_other_code_is_other_runs(app: App) -> None:
    run(app, "first", "+x=1")
    with (app.folder / "app.py").open("a") as file:
        file.write("# changed\n")
    run(app, "second", "+x=1")
    assert app.ran() == ["ok 1"] * 2


def test_uncommitted_changes_are_told_apart(app: App) -> None:
    for command in (["init", "-q"], ["add", "app.py"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm1"]):
        subprocess.run(["git", *command], cwd=app.folder, check=True)
    for number in (1, 2):
        with (app.folder / "app.py").open("a") as file:
            file.write(f"# changed {number}\n")
        run(app, f"sweep{number}", "+x=1")
    assert app.ran() == ["ok 1"] * 2
    run(app, "sweep3", "+x=1")
    assert app.ran() == ["ok 1"] * 2


def test_code_of_unknown_version_is_never_the_same(app: App) -> None:
    run(app, "first", "+x=1")
    status = app.sweep / "0" / "status.json"
    status.write_text(json.dumps(json.loads(status.read_text()) | {"code_version": None}))
    run(app, "second", "+x=1")
    assert app.ran() == ["ok 1"] * 2


@pytest.mark.parametrize("state", ["running", "failed", "interrupted"])
def test_what_is_not_completed_is_left_alone(app: App, state: str) -> None:
    run(app, "first", "+x=1")
    status = app.sweep / "0" / "status.json"
    status.write_text(json.dumps(json.loads(status.read_text()) | {"state": state}))
    run(app, "second", "+x=1")
    assert app.ran() == ["ok 1"] * 2


def test_damaged_results_are_neither_taken_nor_skipped(app: App) -> None:
    check = "hydra.launcher.completed=hooks.whole"
    run(app, "first", "+x=1,2", check)
    (app.sweep / "0" / "result.txt").write_text("")
    done = run(app, "second", "+x=1,2", check)
    assert "1 taken from" in done.stdout
    assert sorted(app.ran()) == ["ok 1", "ok 1", "ok 2"]
    # The first one's own are as good as those next door again.
    again = run(app, "first", "+x=1,2", check)
    assert "1 taken from" in again.stdout
    assert results(app) == {"0": "1", "1": "2"}
    (app.sweep / "1" / "result.txt").unlink()
    alone = run(app, "first", "+x=1,2", check, reuse=False)
    assert "#1 runs again, for its results are gone or damaged" in alone.stdout
    assert results(app) == {"0": "1", "1": "2"}


def test_neither_copy_is_harmed_by_what_becomes_of_the_other(app: App) -> None:
    run(app, "first", "+x=1")
    run(app, "second", "+x=1")
    copies = [app.folder / "sweeps" / name / "0" / "result.txt" for name in ("first", "second")]
    assert copies[0].samefile(copies[1])
    # The application writes into the file that is there, but not into the other's.
    (app.folder / "app.py").write_text((app.folder / "app.py").read_text().replace('str(config.get("x"))', '"new"'))
    run(app, "second", "+x=1", "hydra.launcher.resume=false")
    assert [path.read_text() for path in copies] == ["1", "new"]
    shutil.rmtree(copies[0].parents[1])
    assert copies[1].read_text() == "new"


def test_logs_are_never_shared(app: App) -> None:
    run(app, "first", "+x=1")
    run(app, "second", "+x=1")
    for name in ("app.log", "output.log", "status.json", ".hydra/config.yaml"):
        both = [app.folder / "sweeps" / sweep / "0" / name for sweep in ("first", "second")]
        assert not both[0].samefile(both[1]), name


def test_a_kill_while_it_takes_leaves_nothing_half(app: App) -> None:
    run(app, "first", "+x=1,2")
    app.sweep = app.folder / "sweeps" / "second"
    killed = app.run("+x=1,2", REUSE, "hydra.launcher.on_job_taken=hooks.kill")
    assert killed.returncode == -9
    assert not (app.sweep / "0").exists()
    assert list(app.sweep.glob(".taking-*"))
    done = run(app, "second", "+x=1,2")
    assert "2 taken from" in done.stdout
    assert not list(app.sweep.glob(".taking-*"))
    assert len(app.ran()) == 2


def test_a_job_that_cannot_be_taken_is_run(app: App) -> None:
    run(app, "first", "+x=1")
    done = run(app, "second", "+x=1", "hydra.launcher.on_job_taken=hooks.refuse")
    assert "warning: #0 is not taken from" in done.stdout
    assert "OSError: full" in done.stdout
    assert app.ran() == ["ok 1"] * 2
    assert results(app) == {"0": "1"}


def test_an_unfinished_attempt_gives_way(app: App) -> None:
    run(app, "first", "+x=1")
    shutil.copytree(app.sweep, app.sweep.with_name("second"))
    status = app.sweep.with_name("second") / "0" / "status.json"
    status.write_text(json.dumps(json.loads(status.read_text()) | {"state": "interrupted"}))
    (status.parent / "checkpoint").touch()
    run(app, "second", "+x=1")
    assert app.ran() == ["ok 1"]
    assert app.status(0)["state"] == "completed"
    assert not (status.parent / "checkpoint").exists()


def test_a_value_that_is_pickled_is_not_taken_and_links_lead_nowhere(app: App) -> None:
    run(app, "first", "+do=object", "+x=1,2")
    (app.sweep.with_name("linked")).symlink_to(app.sweep)
    run(app, "second", "+do=object", "+x=1")
    assert len(app.ran()) == 3
    run(app, "third", "+x=1")
    outside = app.folder / "outside"
    shutil.move(app.sweep, outside)
    app.sweep.symlink_to(outside)
    run(app, "fourth", "+x=1")
    assert len(app.ran()) == 5


@pytest.mark.parametrize(
    "damage",
    [
        "{half",
        "[]",
        '{"schema_version": 1, "folders": {"first": {}}}',
        '{"schema_version": 1, "folders": []}',
        '{"schema_version": 99}',
    ],
)
def test_a_damaged_index_is_made_anew(app: App, damage: str) -> None:
    run(app, "first", "+x=1")
    (app.sweep.parent / INDEX).write_text(damage)
    run(app, "second", "+x=1")
    assert app.ran() == ["ok 1"]


def test_an_index_that_cannot_be_written_is_done_without(app: App) -> None:
    run(app, "first", "+x=1")
    (app.sweep.parent / INDEX).mkdir()
    run(app, "second", "+x=1")
    assert app.ran() == ["ok 1"]


def write_jobs(sweep: Path, count: int, prefix: str) -> None:
    for number in range(count):
        place = sweep / str(number)
        place.mkdir(parents=True)
        (place / "status.json").write_text(json.dumps({"state": "completed", "fingerprint": f"{prefix}{number}"}))


def age(folder: Path) -> None:
    """Make a folder one that has not changed for a minute."""
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 60))


def test_the_index_saves_reading_and_heeds_what_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_jobs(tmp_path / "first", 20, "a")
    write_jobs(tmp_path / "nested" / "group", 20, "b")
    for folder in ("first", "nested"):
        age(tmp_path / folder)
    own = tmp_path / "own"
    read: list[Path] = []
    look = _neighbours.read_neighbour

    def noted(folder: Path) -> _neighbours.Neighbour:
        read.append(folder)
        return look(folder)

    monkeypatch.setattr(_neighbours, "read_neighbour", noted)
    for _ in range(2):
        assert find_jobs(own, ["a3", "b7", "c"]) == {
            "a3": [tmp_path / "first" / "3"],
            "b7": [tmp_path / "nested" / "group" / "7"],
        }
    assert read == [tmp_path / "first", tmp_path / "nested"]
    write_jobs(tmp_path / "nested" / "group" / "new", 0, "")
    job = tmp_path / "nested" / "group" / "new"
    job.mkdir()
    assert find_jobs(own, ["n"]) == {}
    (job / "status.json").write_text('{"fingerprint": "n"}')
    assert find_jobs(own, ["n"]) == {"n": [job]}
    shutil.rmtree(tmp_path / "first")
    assert find_jobs(own, ["a3"]) == {}


def test_an_index_leads_nowhere_else(tmp_path: Path) -> None:
    sweeps, outside = tmp_path / "sweeps", tmp_path / "outside"
    write_jobs(sweeps / "first", 1, "a")
    write_jobs(outside, 1, "z")
    age(sweeps)
    find_jobs(sweeps / "own", [])
    index = json.loads((sweeps / INDEX).read_text())
    index["folders"]["first"]["places"] = {"z": ["../../outside/0", str(outside / "0")]}
    (sweeps / INDEX).write_text(json.dumps(index))
    assert not any(find_jobs(sweeps / "own", ["z"]).values())


def test_a_file_that_two_directories_share_is_given_to_each(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "deep").mkdir(parents=True)
    one, other = (tmp_path / name / "deep" / "file" for name in ("a", "b"))
    one.write_text("x")
    os.link(one, other)
    unshare(tmp_path / "a")
    assert one.read_text() == other.read_text() == "x"
    assert not one.samefile(other)


def test_twins_are_named_with_what_makes_them_so(app: App) -> None:
    done = run(app, "twins", "+x=1,2", "+seed=1,2,3", "hydra.launcher.not_identity=[seed]")
    assert "#1 is #0 again, #4 is #3 again: +seed=1 and +seed=2 makes no difference" in done.stdout


def test_a_failure_that_is_not_tried_again_is_not_called_done(app: App) -> None:
    app.run("+do=raise,ok")
    again = app.run("+do=raise,ok", "hydra.launcher.retry_failed=false")
    assert "2 jobs, 1 already done, 1 failed earlier, not tried again, 0 to run" in again.stdout


@pytest.mark.slow
def test_two_sweeps_may_take_from_one_at_once(app: App) -> None:
    run(app, "first", "+x=range(20)")
    started = [
        subprocess.Popen(
            [sys.executable, "app.py", "-m", "hydra/launcher=workstation", f"hydra.sweep.dir=sweeps/{name}", REUSE,
             "+x=range(20)"],
            cwd=app.folder, env=app.environment, stdout=subprocess.PIPE, text=True,
        )
        for name in ("second", "third")
    ]  # fmt: skip
    for process in started:
        printed, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        assert "20 taken from" in printed
    assert len(app.ran()) == 20
