"""The benchmark runs and compares what it says; its figures are nobody's assertion."""

import os
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY


def benchmark(*arguments: str) -> str:
    command = [sys.executable, str(REPOSITORY / "scripts" / "benchmark.py"), *arguments]
    # Threads of PyTorch that wait for one another would otherwise keep the cores from what runs beside this test.
    environment = {**os.environ, "GOMP_SPINCOUNT": "0"}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


@pytest.mark.slow
def test_step_times_all_networks() -> None:
    printed = benchmark("step", "--steps", "2", "--rounds", "1")
    for network in ("LSTM 2x128", "LSTM 1x32", "GRU 2x128", "RNN 2x128"):
        assert network in printed
    assert "floor" in printed


@pytest.mark.slow
def test_accuracy_compares_ours_with_the_tutorials_loop() -> None:
    printed = benchmark("accuracy", "--seeds", "2")
    assert "experiment=article:" in printed
    assert "the tutorial's loop:" in printed
    assert "Welch" in printed


@pytest.mark.slow
def test_sweep_compares_the_launchers_with_the_tutorials_loop() -> None:
    printed = benchmark("sweep", "--jobs", "2", "--images", "600", "--network", "LSTM 1x32")
    for way in ("the tutorial's loop", "basic", "joblib, as it comes", "workstation"):
        assert way in printed
    assert "runs an hour" in printed


@pytest.mark.slow
def test_overhead_compares_the_launchers() -> None:
    printed = benchmark("overhead", "--jobs", "6", "--rounds", "1")
    for launcher in ("basic", "joblib", "workstation"):
        assert launcher in printed


@pytest.mark.slow
def test_runs_are_found_again_and_tabulated() -> None:
    printed = benchmark("runs", "--runs", "20", "--workers", "5")
    for name in ("written by 5 workers", "the same command again", "a dry run of it", "its table"):
        assert f"20 {name}" in printed


@pytest.mark.slow
def test_against_compares_whole_commands_with_another_commit() -> None:
    printed = benchmark("against", "HEAD", "start", "overhead", "--rounds", "1")
    for name in ("--help", "a run, LSTM 1x32, 1 epoch", "a job that does nothing"):
        assert f"| {name} |" in printed
