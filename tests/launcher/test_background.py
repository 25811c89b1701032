"""``wait=false`` on a workstation: the sweep goes on by itself, and the same command comes back to it."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.launcher.programs import Programs

COUNT = ("+x=1,2,3", "+steps=20", "+pause=0.1")
WaitFor = Callable[..., None]


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return Programs(tmp_path)


def record(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "fork" / "sweep.json").read_text())
    return content


def states(folder: Path) -> list[str]:
    return [json.loads(path.read_text())["state"] for path in sorted(folder.glob("fork/*/status.json"))]


def attempts(folder: Path) -> list[str]:
    return [path.read_text() for path in sorted(folder.glob("fork/*/begun"))]


def test_the_sweep_goes_on_without_its_command_and_the_same_command_ends_with_its_outcome(
    programs: Programs, tmp_path: Path, wait_for: WaitFor
) -> None:
    left = programs.run("counting", "fork", *COUNT, "hydra.launcher.wait=false")
    assert left.returncode == 0, left.stderr
    wait_for(lambda: states(tmp_path))
    process = record(tmp_path)["pid"]
    assert os.getsid(process) == process  # no terminal's end reaches it
    attached = programs.run("counting", "fork", *COUNT, "hydra.launcher.wait=false")
    assert attached.returncode == 0, attached.stdout + attached.stderr
    assert "in the background" in attached.stdout
    assert "3 completed" in attached.stdout
    assert states(tmp_path) == ["completed"] * 3
    assert attempts(tmp_path) == ["0\n"] * 3
    assert "3 completed" in (tmp_path / "fork" / "sweep.log").read_text()


def test_ctrl_c_leaves_it_there_and_its_process_can_be_told_to_stop(
    programs: Programs, tmp_path: Path, wait_for: WaitFor
) -> None:
    long = ("+x=1,2", "+steps=300", "+pause=0.1")
    assert programs.run("counting", "fork", *long, "hydra.launcher.wait=false").returncode == 0
    wait_for(lambda: states(tmp_path) == ["running"] * 2)
    attached = programs.start("counting", "fork", *long)
    assert attached.stdout is not None
    while "started" not in attached.stdout.readline():
        assert attached.poll() is None
    attached.send_signal(signal.SIGINT)
    assert attached.wait(30) == 130
    assert states(tmp_path) == ["running"] * 2
    os.kill(record(tmp_path)["pid"], signal.SIGINT)
    wait_for(lambda: states(tmp_path) == ["interrupted"] * 2)


@pytest.mark.slow
def test_a_command_before_the_users_eyes_is_not_attached_to(
    programs: Programs, tmp_path: Path, wait_for: WaitFor
) -> None:
    first = programs.start("counting", "fork", *COUNT)
    wait_for(lambda: states(tmp_path))
    second = programs.run("counting", "fork", *COUNT, "hydra.launcher.wait=false")
    assert second.returncode == 1
    assert "another command is at work" in second.stderr
    first.communicate(timeout=60)
    assert first.returncode == 0


@pytest.mark.slow
def test_what_fails_in_the_background_is_not_tried_again_by_the_command_that_watched_it(
    programs: Programs, tmp_path: Path, wait_for: WaitFor
) -> None:
    broken = ("+x=1,2", "+steps=120,nonsense", "+pause=0.1")
    assert programs.run("counting", "fork", *broken, "hydra.launcher.wait=false").returncode == 0
    wait_for(lambda: states(tmp_path))
    attached = programs.run("counting", "fork", *broken)
    assert attached.returncode == 1
    assert sorted(states(tmp_path)) == ["completed"] * 2 + ["failed"] * 2
    assert [len(each.split()) for each in attempts(tmp_path)] == [1] * 4
