"""Real runs on real clusters, of Slurm and of Ray: whatever befalls them, the same bits as on a workstation."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import SMALL_SWEEP
from tests.launcher.conftest import ROOT, heed_ctrl_c
from tests.launcher.slurm_cluster import SlurmCluster, why_not

pytestmark = pytest.mark.slow

RUNS = ("seed=range(6)", "training.epochs=60", *SMALL_SWEEP)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    pytest.importorskip("submitit", reason="submitit is not installed (extra slurm)")
    if (reason := why_not()) is not None:
        pytest.skip(reason)
    cluster = SlurmCluster(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def start(folder: Path, environment: dict[str, str], *overrides: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "rnn_mnist.train", "-m", *RUNS, *overrides],
        cwd=folder,
        env=os.environ | environment | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=heed_ctrl_c,
    )


def wait_for(condition: Callable[[], Any], seconds: float = 120) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return found


def statuses(sweep: Path) -> dict[Path, dict[str, Any]]:
    return {path.parent: json.loads(path.read_text()) for path in sorted(sweep.glob("*/status.json"))}


def training(sweep: Path) -> list[Path]:
    """The runs that are in the middle: some epochs behind them, and many to go."""
    return [
        run
        for run, status in statuses(sweep).items()
        if status["state"] == "running"
        and (run / "metrics.csv").exists()
        and 2 <= len((run / "metrics.csv").read_text().splitlines()) < 30
    ]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What comes out on a workstation, by the runs' ids."""
    folder = tmp_path_factory.mktemp("workstation")
    here = start(folder, {}, "sweep=here", "hydra.launcher.jobs_per_device=2")
    output, _ = here.communicate(timeout=240)
    assert here.returncode == 0, output
    return outcome(folder / "outputs" / "here")


def outcome(sweep: Path) -> dict[str, Any]:
    return {run.name.rpartition("__")[2]: bits(run) for run in statuses(sweep)}


def without_measurements(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if "second" not in key and "memory" not in key}


def bits(run: Path) -> tuple[Any, ...]:
    """All of a run's outcome that does not tell of times."""
    result = without_measurements(json.loads((run / "result.json").read_text()))
    with (run / "metrics.csv").open() as file:
        epochs = [without_measurements(row) for row in csv.DictReader(file)]
    model = torch.load(run / "model.pt", weights_only=True)
    tensors = [value.numpy().tobytes() for part in model.values() for value in part.values()]
    return result, epochs, (run / "predictions.npy").read_bytes(), tensors


@pytest.mark.timeout(500)
def test_on_slurm_six_runs_come_out_bit_for_bit_as_on_a_workstation_whatever_befalls_them(
    cluster: SlurmCluster, expected: dict[str, Any], tmp_path: Path
) -> None:
    there = tmp_path / "outputs" / "there"
    on_slurm = (
        "sweep=there", "hydra/launcher=slurm", "hydra.launcher.poll_seconds=0.3",
        "hydra.launcher.array_parallelism=2",
    )  # fmt: skip
    first = start(tmp_path, cluster.environment, *on_slurm)
    killed = wait_for(lambda: training(there), 60)[0]
    os.kill(statuses(there)[killed]["pid"], signal.SIGKILL)
    first.kill()  # the submitting process
    first.wait()
    warned = wait_for(lambda: [run for run in training(there) if run != killed], 60)[0]
    cluster.warn(statuses(there)[warned]["place_job"])
    wait_for(lambda: statuses(there)[warned]["state"] == "queued")

    second = start(tmp_path, cluster.environment, *on_slurm)
    while second.poll() is None:
        cluster.begin_requeued()
        time.sleep(0.5)
    output, _ = second.communicate()
    assert second.returncode == 0, output
    states = statuses(there)
    assert [status["state"] for status in states.values()] == ["completed"] * 6
    assert {run: status["attempts"] for run, status in states.items() if status["attempts"] > 1} == {
        killed: 2,
        warned: 2,
    }
    assert outcome(there) == expected
    with (there / "results.csv").open() as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["completed"] * 6


@pytest.mark.timeout(500)
def test_on_ray_six_runs_come_out_bit_for_bit_as_on_a_workstation_whatever_befalls_them(
    expected: dict[str, Any], tmp_path: Path
) -> None:
    cluster_utils = pytest.importorskip("ray.cluster_utils", reason="Ray is not installed (extra ray)")
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        node = cluster.add_node(num_cpus=1)
        there = tmp_path / "outputs" / "there"
        on_ray = ("sweep=there", "hydra/launcher=ray", f"hydra.launcher.address={cluster.address}")
        first = start(tmp_path, {}, *on_ray)
        pair = wait_for(lambda: found if len(found := training(there)) == 2 else [], 90)
        cluster.remove_node(node, allow_graceful=False)
        lost = wait_for(lambda: [run for run in pair if statuses(there)[run]["state"] in ("interrupted", "queued")], 60)
        cluster.add_node(num_cpus=1)
        wait_for(lambda: "completed" in [status["state"] for status in statuses(there).values()], 90)
        first.kill()  # the submitting process, and its jobs with it
        first.wait()
        second = start(tmp_path, {}, *on_ray, "hydra.launcher.retries=1")
        killed = wait_for(lambda: [run for run in training(there) if run not in lost], 90)[0]
        os.kill(statuses(there)[killed]["pid"], signal.SIGKILL)
        output, _ = second.communicate(timeout=240)
        assert second.returncode == 0, output
        assert [status["state"] for status in statuses(there).values()] == ["completed"] * 6
        assert outcome(there) == expected
    finally:
        cluster.shutdown()


def test_status_tells_of_what_is_queued_without_attaching(cluster: SlurmCluster, tmp_path: Path) -> None:
    cluster.ask("scontrol", "update", "PartitionName=main", "State=DOWN")
    try:
        left = start(tmp_path, cluster.environment, "sweep=there", "hydra/launcher=slurm", "hydra.launcher.wait=false")
        output, _ = left.communicate(timeout=120)
        assert left.returncode == 0, output
        asked = subprocess.run(
            [sys.executable, "-m", "rnn_mnist", "status", "outputs/there"],
            cwd=tmp_path, env=os.environ | cluster.environment | {"PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        assert "6 planned: 6 queued" in asked.stdout
        assert "in the queue of slurm" in asked.stdout
    finally:
        cluster.ask("scancel", "--user=root")
        cluster.ask("scontrol", "update", "PartitionName=main", "State=UP")
