"""What a job costs that does nothing: composition, process, records, display."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

LAUNCHERS = {
    "basic": ["hydra/launcher=basic"],
    "joblib": ["hydra/launcher=joblib"],
    "workstation": ["hydra.launcher.preload=[]", "hydra.launcher.on_job_end=null", "hydra.launcher.on_sweep_end=null"],
}
APP = """
import hydra
from rnn_mnist.configuration.compose import CONFIG_DIR, register
from rnn_mnist.configuration.hydra_versions import MAIN
from rnn_mnist.task import job_identity


def nothing(config):
    return 0


if __name__ == "__main__":
    register(job_identity)
    hydra.main(config_path=str(CONFIG_DIR), config_name="config", **MAIN)(nothing)()
"""
_FEW = 4


def compare(jobs: int, rounds: int) -> None:
    """Sweep over jobs that do nothing, with this project's own configuration, under each launcher in turn.

    A job's overhead is the slope between a sweep of few and one of ``jobs`` jobs, so that the start of the program,
    which happens once, is not part of it.
    """
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "no_op.py").write_text(APP)
        for _ in range(rounds):
            for name, options in LAUNCHERS.items():
                slope = (_seconds(folder, options, jobs) - _seconds(folder, options, _FEW)) / (jobs - _FEW)
                best[name] = min(slope, best.get(name, slope))
    print(f"overhead of a job that does nothing; sweeps of {_FEW} and {jobs} jobs, best of {rounds} rounds")
    for name, seconds in best.items():
        print(f"{name:12} {1000 * seconds:7.1f} ms   {seconds / best['workstation']:5.2f}x")


def _seconds(folder: str, options: list[str], jobs: int) -> float:
    with tempfile.TemporaryDirectory(dir=folder) as output:
        command = [
            sys.executable, "no_op.py", "-m", f"seed=range({jobs})", f"hydra.sweep.dir={output}/sweep", *options,
        ]  # fmt: skip
        start = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return time.perf_counter() - start
