"""Sweeps of a foreign application on Ray: on a cluster of their own, and on one of two nodes."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.launcher.on_a_cluster import Counting, counted

cluster_utils = pytest.importorskip("ray.cluster_utils", reason="Ray is not installed (extra ray)")
pytestmark = pytest.mark.slow

SOME = ("+x=1,2,3", "+steps=20", "+pause=0.1")
LONG = ("+x=1,2", "+steps=200", "+pause=0.05")
OWN = "hydra.launcher.address=local"
WaitFor = Callable[..., None]


@pytest.fixture
def app(tmp_path: Path) -> Counting:
    return Counting(tmp_path, "ray", {})


def test_a_cluster_is_started_for_a_sweep_and_its_jobs_are_not_run_again(app: Counting) -> None:
    status, output = app.run(*SOME, OWN)
    assert status == 0, output
    assert [app.status(job)["return_value"] for job in range(3)] == [counted(x, 20) for x in (1, 2, 3)]
    status, output = app.run(*SOME, OWN)
    assert (status, "3 already done" in output) == (0, True)
    assert [app.begun(job) for job in range(3)] == [[0]] * 3


def test_ctrl_c_interrupts_jobs_and_the_same_command_goes_on(app: Counting, wait_for: WaitFor) -> None:
    command = app.start(*LONG, OWN)
    wait_for(lambda: len(app.begun(0)) == len(app.begun(1)) == 1, 60)
    command.send_signal(signal.SIGINT)
    output, _ = command.communicate(timeout=90)
    assert command.returncode == 130, output
    assert app.states(2) == ["interrupted"] * 2
    status, output = app.run(*LONG, OWN)
    assert status == 0, output
    assert [app.status(job)["return_value"] for job in range(2)] == [counted(x, 200) for x in (1, 2)]
    assert all(app.begun(job)[1] > 0 for job in range(2))


def test_what_is_left_in_the_background_is_come_back_to(app: Counting, wait_for: WaitFor) -> None:
    status, output = app.run(*SOME, OWN, "hydra.launcher.wait=false")
    assert (status, "in the background" in output) == (0, True)
    wait_for(lambda: "running" in app.states(3), 60)
    status, output = app.run(*SOME, OWN, "hydra.launcher.wait=false")
    assert status == 0, output
    assert app.states(3) == ["completed"] * 3
    assert [app.begun(job) for job in range(3)] == [[0]] * 3


@pytest.mark.timeout(300)
def test_a_node_that_dies_costs_its_jobs_an_attempt_and_a_job_that_dies_is_retried(
    tmp_path: Path, wait_for: WaitFor
) -> None:
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        node = cluster.add_node(num_cpus=1)
        app = Counting(tmp_path, "ray", {})
        command = app.start(*LONG, f"hydra.launcher.address={cluster.address}", "hydra.launcher.retries=1")
        wait_for(lambda: app.states(2) == ["running"] * 2 and app.begun(0) and app.begun(1), 60)
        cluster.remove_node(node, allow_graceful=False)
        wait_for(lambda: app.states(2) != ["running"] * 2, 60)
        (lives,) = (job for job in range(2) if app.status(job)["state"] == "running")
        os.kill(app.status(lives)["pid"], signal.SIGKILL)
        output, _ = command.communicate(timeout=150)
        assert command.returncode == 0, output
        assert "killed by SIGKILL" in output
        assert [app.status(job)["return_value"] for job in range(2)] == [counted(x, 200) for x in (1, 2)]
        assert [len(app.begun(job)) for job in range(2)] == [2, 2]
    finally:
        cluster.shutdown()
