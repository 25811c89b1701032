"""The same command, or one like it, carries on."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from tests.launcher.conftest import App


def sweep(directory: Path, *overrides: str) -> list[JobReturn]:
    """A multirun in this process, and what the sweeper gets from the launcher."""

    def task(config: DictConfig) -> Any:
        return {"x": config.x, "list": [1.5, None, "ä"]}

    hydra = Hydra.create_main_hydra2(task_name="task", config_search_path=create_config_search_path(None))
    try:
        returned = hydra.multirun(
            None,
            task,
            ["hydra/launcher=workstation", f"hydra.sweep.dir={directory}", *overrides],
            with_log_configuration=False,
        )
    finally:
        GlobalHydra.instance().clear()
    jobs: list[JobReturn] = returned[0]
    return jobs


@pytest.mark.usefixtures("hydra_restore_singletons")
def test_completed_jobs_come_back_as_they_were(tmp_path: Path) -> None:
    first, again = sweep(tmp_path, "+x=1,2"), sweep(tmp_path, "+x=2,1,3")
    assert [job.return_value["x"] for job in again] == [2, 1, 3]
    for before, after in zip(first, [again[1], again[0]], strict=True):
        assert after.return_value == before.return_value
        assert after.status == JobStatus.COMPLETED
        assert after.cfg == before.cfg
        assert after.overrides == before.overrides
        assert after.task_name == before.task_name
        assert after.hydra_cfg is not None
        assert before.hydra_cfg is not None
        assert after.hydra_cfg.hydra.runtime.output_dir == before.hydra_cfg.hydra.runtime.output_dir
    record = json.loads((tmp_path / "sweep.json").read_text())
    assert record["factors"] == {"+x": ["2", "1", "3"]}
    assert len(record["jobs"]) == 3


def test_a_completed_sweep_runs_nothing_again(app: App) -> None:
    app.run("+x=1,2")
    done = app.run("+x=2,1")
    assert done.returncode == 0
    assert sorted(app.ran()) == ["ok 1", "ok 2"]
    assert "2 already done" in done.stdout


def test_numbered_directories_are_never_written_over(app: App) -> None:
    app.run("+x=1,2")
    app.run("+x=3,2,1,4")
    values = {
        path.parent.name: json.loads(path.read_text())["return_value"] for path in app.sweep.glob("*/status.json")
    }
    assert values == {"0": 1, "1": 2, "2": 3, "3": 4} or sorted(values.values()) == [1, 2, 3, 4]
    assert sorted(app.ran()) == ["ok 1", "ok 2", "ok 3", "ok 4"]


def test_a_directory_name_that_two_jobs_share_is_told_apart(app: App) -> None:
    app.run("+x=1,2,3", "hydra.sweep.subdir=same")
    names = sorted(path.parent.name for path in app.sweep.glob("*/status.json"))
    assert len(names) == 3
    assert names[0] == "same"


def test_what_another_launcher_made_is_not_written_over(app: App) -> None:
    subprocess.run(app.command("+x=1,2", launcher="basic"), cwd=app.folder, env=app.environment, check=True)
    app.run("+x=3,2")
    overrides = {path.parents[1].name: path.read_text() for path in app.sweep.glob("*/.hydra/overrides.yaml")}
    assert overrides["0"] == "- +x=1\n"
    assert sorted(overrides.values()) == ["- +x=1\n", "- +x=2\n", "- +x=3\n"]


def test_a_lost_index_is_made_again_from_the_jobs(app: App) -> None:
    app.run("+x=1,2")
    (app.sweep / "sweep.json").unlink()
    app.run("+x=2,1")
    assert len(app.ran()) == 2


def test_jobs_with_one_identity_run_once(app: App) -> None:
    done = app.run("+x=1,1", "+do=ok")
    assert done.returncode == 0
    assert app.ran() == ["ok 1"]
    app.run("+x=1", "+do=ok", "+seed=1,2", "hydra.launcher.not_identity=[seed]")
    assert app.ran() == ["ok 1"]


def test_failed_jobs_are_tried_again_unless_told_not_to(app: App) -> None:
    app.run("+do=raise,ok")
    again = app.run("+do=raise,ok", "hydra.launcher.retry_failed=false")
    assert again.returncode == 1
    assert "failed #0: ValueError: boom" in again.stdout
    assert len(app.ran()) == 2
    app.run("+do=raise,ok")
    assert [line.split()[0] for line in app.ran()].count("raise") == 2
    assert app.status(0)["attempts"] == 2


def test_resume_false_runs_all_afresh(app: App) -> None:
    app.run("+x=1,2")
    app.run("+x=1,2", "hydra.launcher.resume=false")
    assert len(app.ran()) == 4
    assert {path.name for path in app.sweep.iterdir() if path.is_dir()} == {"0", "1"}


def test_changed_code_is_said(app: App) -> None:
    for command in (
        ["init", "-q"],
        ["add", "app.py"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "1"],
    ):
        subprocess.run(["git", *command], cwd=app.folder, check=True)
    app.run("+x=1,2")
    (app.folder / "app.py").write_text((app.folder / "app.py").read_text() + "\n# changed\n")
    done = app.run("+x=1,2")
    assert "2 of the jobs already done were made by other code" in done.stdout
    assert "-dirty" in done.stdout


def test_two_programs_in_a_folder_without_git_are_not_taken_for_one(app: App) -> None:
    app.run("+x=1,2")
    other = app.folder / "other.py"
    other.write_text((app.folder / "app.py").read_text().replace('config.get("x")', '-config.get("x")'))
    command = ["other.py" if word == "app.py" else word for word in app.command("+x=1,2")]
    outside = app.environment | {"GIT_CEILING_DIRECTORIES": str(app.folder.parent)}
    done = subprocess.run(command, cwd=app.folder, env=outside, capture_output=True, text=True, check=True)
    assert "2 of the jobs already done were made by other code (app.py " in done.stdout
    assert "now other.py " in done.stdout
    assert "made by other code" not in app.run("+x=1,2").stdout


def test_a_damaged_status_means_that_the_job_is_to_be_done(app: App) -> None:
    app.run("+x=1,2")
    (app.sweep / "0" / "status.json").write_text("{half")
    assert app.run("+x=1,2").returncode == 0
    assert sorted(app.ran()) == ["ok 1", "ok 1", "ok 2"]


def test_a_dry_run_writes_nothing(app: App) -> None:
    before = sorted(app.folder.rglob("*"))
    done = app.run("+x=1,2", "hydra.launcher.dry_run=true")
    assert done.returncode == 0
    assert "2 of 2 jobs to do" in done.stdout
    assert sorted(app.folder.rglob("*")) == before
    app.run("+x=1")
    content = {path: path.read_bytes() for path in app.sweep.rglob("*") if path.is_file()}
    done = app.run("+x=1,2", "hydra.launcher.dry_run=true")
    assert "1 of 2 jobs to do" in done.stdout
    assert "at" in done.stdout.splitlines()[-1]
    assert {path: path.read_bytes() for path in app.sweep.rglob("*") if path.is_file()} == content
    assert app.ran() == ["ok 1"]


def test_records_of_a_newer_launcher_are_not_touched(app: App) -> None:
    app.run("+x=1")
    record = app.sweep / "sweep.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"schema_version": 99}))
    done = app.run("+x=1")
    assert done.returncode == 1
    assert "newer version" in done.stderr
    assert json.loads(record.read_text())["schema_version"] == 99
    shutil.rmtree(app.sweep)


def test_the_start_hook_comes_once_before_the_first_attempt(app: App) -> None:
    (app.folder / "hooks.py").write_text(
        "import os\n"
        "def start(config, directory):\n"
        "    with open(os.environ['NOTES'], 'a') as notes:\n"
        '        notes.write(f"hook {config.do} {directory.name} {directory.exists()} {os.getpid()}\\n")\n'
    )
    app.environment["PYTHONPATH"] += f":{app.folder}"
    hook = "hydra.launcher.on_job_start=hooks.start"
    done = app.run("+do=die_once", hook, "hydra.launcher.retries=1")
    assert done.returncode == 0, done.stdout
    first, *rest = app.ran()
    assert first.split()[:4] == ["hook", "die_once", "0", "False"]
    assert rest == ["die_once None", "die_once None"]
    assert int(first.split()[4]) != app.status(0)["pid"]
    again = app.run("+do=die_once", hook)
    assert again.returncode == 0
    assert len(app.ran()) == 3


def test_a_start_hook_that_fails_is_said_and_harms_nothing(app: App) -> None:
    (app.folder / "hooks.py").write_text("def start(config, directory):\n    raise ValueError('no')\n")
    app.environment["PYTHONPATH"] += f":{app.folder}"
    done = app.run("+x=1", "hydra.launcher.on_job_start=hooks.start")
    assert done.returncode == 0
    assert "hydra.launcher.on_job_start=hooks.start: ValueError: no" in done.stdout
    assert app.ran() == ["ok 1"]
