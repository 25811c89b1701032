"""Sweeps on a real Slurm cluster of two nodes."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.launcher.on_a_cluster import Counting, counted
from tests.launcher.slurm_cluster import SlurmCluster, why_not

pytest.importorskip("submitit", reason="submitit is not installed (extra slurm)")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]

APP = Path(__file__).parent / "apps" / "counting.py"
LONG = ("+steps=200", "+pause=0.05")
STEPS = 200
WaitFor = Callable[..., None]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    cluster = SlurmCluster(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def app(tmp_path: Path, cluster: SlurmCluster) -> Iterator[Counting]:
    yield Counting(tmp_path, "slurm", cluster.environment, "hydra.launcher.poll_seconds=0.3")
    cluster.ask("scancel", "--user=root")


def parent_of(process: int) -> int:
    found = re.search(r"^PPid:\s*(\d+)", Path(f"/proc/{process}/status").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return int(found[1])


def queue(cluster: SlurmCluster) -> list[str]:
    return cluster.ask("squeue", "--noheader", "--array", "--format=%F_%K").split()


def test_jobs_of_a_foreign_app_run_on_both_nodes_and_are_not_run_again(app: Counting) -> None:
    status, output = app.run("+x=1,2,3", "+steps=10", "+pause=0.2", "hydra.launcher.cpus=2")
    assert status == 0, output
    assert [app.status(job)["return_value"] for job in range(3)] == [counted(x, 10) for x in (1, 2, 3)]
    assert {app.status(job)["host"] for job in range(3)} == {"n1", "n2"}
    assert all(re.fullmatch(r"slurm \d+_\d", app.status(job)["place_job"]) for job in range(3))
    assert not (app.sweep / ".slurm").exists()
    status, output = app.run("+x=1,2,3,4", "+steps=10", "+pause=0.2", "hydra.launcher.cpus=2")
    assert status == 0, output
    assert "3 already done, 1 to run" in output
    assert [app.begun(job) for job in range(4)] == [[0]] * 4


def test_what_was_submitted_is_attached_to_and_never_submitted_twice(
    app: Counting, cluster: SlurmCluster, wait_for: WaitFor
) -> None:
    overrides = ("+x=1,2,3,4,5,6", *LONG, "hydra.launcher.wait=false", "hydra.launcher.array_parallelism=2")
    status, output = app.run(*overrides)
    assert status == 0, output
    assert app.states(6) == ["queued"] * 6 or "running" in app.states(6)
    assert len(queue(cluster)) == 6
    assert (app.sweep / ".slurm").stat().st_mode & 0o777 == 0o700
    wait_for(lambda: app.states(6).count("running") == 2)
    attached = app.start(*overrides)
    wait_for(lambda: app.states(6).count("completed") >= 1)
    attached.kill()
    attached.wait()
    assert app.states(6).count("completed") < 6
    status, output = app.run(*(each for each in overrides if "wait" not in each))
    assert status == 0, output
    assert "submitted" not in output
    assert [app.status(job)["return_value"] for job in range(6)] == [counted(x, STEPS) for x in range(1, 7)]
    assert [app.begun(job) for job in range(6)] == [[0]] * 6


def test_another_place_does_not_run_what_is_queued(app: Counting, cluster: SlurmCluster, wait_for: WaitFor) -> None:
    assert app.run("+x=1,2", *LONG, "hydra.launcher.wait=false")[0] == 0
    wait_for(lambda: app.states(2) == ["running"] * 2)
    status, output = app.run("+x=1,2", *LONG, launcher="workstation")
    assert status == 1
    assert "2 jobs are queued or running at slurm" in output
    cluster.ask("scancel", "--user=root")
    wait_for(lambda: not queue(cluster))
    assert app.states(2) == ["interrupted"] * 2
    status, output = app.run("+x=1,2", *LONG, launcher="workstation")
    assert status == 0, output
    assert [app.status(job)["return_value"] for job in range(2)] == [counted(1, STEPS), counted(2, STEPS)]
    assert all(len(app.begun(job)) == 2 and app.begun(job)[1] > 0 for job in range(2))


def test_a_job_that_is_killed_is_tried_again_and_one_that_is_cancelled_is_not(
    app: Counting, cluster: SlurmCluster, wait_for: WaitFor
) -> None:
    command = app.start("+x=1,2", *LONG, "hydra.launcher.retries=1")
    wait_for(lambda: app.states(2) == ["running"] * 2 and len(app.begun(0)) == 1 and len(app.begun(1)) == 1)
    os.kill(app.status(0)["pid"], signal.SIGKILL)
    cluster.ask("scancel", app.status(1)["place_job"].removeprefix("slurm "))
    output, _ = command.communicate(timeout=120)
    assert command.returncode == 1
    assert "#0 killed by SIGKILL" in output
    assert app.states(2) == ["completed", "interrupted"]
    assert app.status(0)["return_value"] == counted(1, STEPS)
    assert app.status(0)["attempts"] == 2


def test_a_node_whose_keeper_is_killed_too_costs_an_attempt(app: Counting, wait_for: WaitFor) -> None:
    command = app.start("+x=1", *LONG, "hydra.launcher.retries=1")
    wait_for(lambda: len(app.begun(0)) == 1)
    os.kill(parent_of(app.status(0)["pid"]), signal.SIGKILL)
    output, _ = command.communicate(timeout=120)
    assert command.returncode == 0, output
    assert len(app.begun(0)) == 2
    assert app.status(0)["return_value"] == counted(1, STEPS)


def test_a_job_that_is_warned_is_requeued_and_goes_on(app: Counting, cluster: SlurmCluster, wait_for: WaitFor) -> None:
    command = app.start("+x=1", *LONG)
    wait_for(lambda: len(app.begun(0)) == 1)
    cluster.warn(app.status(0)["place_job"])
    wait_for(lambda: app.status(0)["state"] == "queued")
    job = app.status(0)["place_job"]
    time.sleep(1)
    cluster.begin_requeued()
    output, _ = command.communicate(timeout=120)
    assert command.returncode == 0, output
    assert app.status(0)["return_value"] == counted(1, STEPS)
    assert app.status(0)["attempts"] == 2
    assert app.status(0)["place_job"] == job
    assert app.begun(0)[1] > 0


@pytest.mark.timeout(400)
def test_a_job_at_its_time_limit_is_requeued_and_goes_on(app: Counting, cluster: SlurmCluster) -> None:
    command = app.start(
        "+x=1", "+steps=80", "+pause=1", "hydra.launcher.time_minutes=1", "hydra.launcher.warn_seconds=40"
    )
    try:
        deadline = time.monotonic() + 300
        while command.poll() is None:
            assert time.monotonic() < deadline
            cluster.begin_requeued()
            time.sleep(1)
    finally:
        output, _ = command.communicate()
    assert command.returncode == 0, output
    assert app.status(0)["return_value"] == counted(1, 80)
    assert len(app.begun(0)) >= 2
    assert app.begun(0)[1] > 0


def test_an_order_that_somebody_has_changed_is_not_read(
    app: Counting, cluster: SlurmCluster, wait_for: WaitFor
) -> None:
    cluster.ask("scontrol", "update", "PartitionName=main", "State=DOWN")
    try:
        assert app.run("+x=1", *LONG, "hydra.launcher.wait=false")[0] == 0
        (order,) = (app.sweep / ".slurm").glob("*/0")
        order.write_bytes(order.read_bytes() + b"x")
    finally:
        cluster.ask("scontrol", "update", "PartitionName=main", "State=UP")
    wait_for(lambda: not queue(cluster))
    assert app.begun(0) == []
    (log,) = (app.sweep / ".slurm").glob("*/*_0.log")
    assert "not what was written" in log.read_text()


@pytest.mark.parametrize("fatal", ["sbatch", "scontrol release"])
def test_a_command_that_is_killed_while_it_submits_leaves_nothing_that_runs_twice(
    app: Counting, cluster: SlurmCluster, wait_for: WaitFor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fatal: str
) -> None:
    program, _, first = fatal.partition(" ")
    shim = tmp_path / "bin" / program
    shim.parent.mkdir()
    hold = f"touch {tmp_path}/reached; sleep 60"
    real = f"/usr/bin/{program}"
    if first:
        shim.write_text(f'#!/bin/sh\n[ "$1" = {first} ] && {{ {hold}; }}\nexec {real} "$@"\n')
    else:
        shim.write_text(f'#!/bin/sh\n{real} "$@"\n{hold}\n')
    shim.chmod(0o755)
    with monkeypatch.context() as patched:
        patched.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
        command = app.start("+x=1,2", "+steps=10", "+pause=0.05")
        wait_for((tmp_path / "reached").exists)
        command.kill()
        command.wait()
    assert len(queue(cluster)) == 2
    status, output = app.run("+x=1,2", "+steps=10", "+pause=0.05")
    assert status == 0, output
    assert ("submitted" in output) == (not first)
    assert [app.begun(job) for job in range(2)] == [[0]] * 2
    assert queue(cluster) == []
    assert not (app.sweep / ".slurm").exists()


def test_what_slurm_refuses_is_said_in_its_words_and_nothing_is_queued(app: Counting, cluster: SlurmCluster) -> None:
    status, output = app.run("+x=1", *LONG, "hydra.launcher.partition=nowhere")
    assert status == 1
    assert "invalid partition" in output
    assert queue(cluster) == []
