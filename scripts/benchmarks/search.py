"""How much of the time the slots of a search stand idle: trials given one by one, against batches that wait."""

import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

APP = """
import json, random, time
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig


@hydra.main(version_base=None, config_path=None)
def search(config):
    begun = time.time()
    # As training runs are: most are about as long, some are much longer.
    time.sleep(config.seconds * random.Random(repr(config.x)).lognormvariate(-0.125, 0.5))
    here = Path(HydraConfig.get().runtime.output_dir)
    (here / "times.json").write_text(json.dumps([begun, time.time()]))
    return (config.x - 0.3) ** 2


if __name__ == "__main__":
    search()
"""
OURS, OTHER = "hydra/sweeper=optuna", "hydra/sweeper=hydra_optuna_sweeper"
_SLOTS = 2


def compare(trials: int, seconds: float, rounds: int) -> None:
    """Search with two slots, and print the share of the slots' time in which nothing ran in them.

    Args:
        trials: of each search.
        seconds: a trial's mean.
        rounds: searches of each kind, taken in turn, with other seeds and so with other lengths.
    """
    kinds = {"one by one (this sweeper)": [OURS]}
    if importlib.util.find_spec("hydra_plugins.hydra_optuna_sweeper") is not None:
        kinds["batches of 2 (hydra-optuna-sweeper)"] = [OTHER]
    else:
        print("hydra-optuna-sweeper is not installed: its batches by this sweeper over hydra/launcher=joblib")
        kinds["batches of 2 (joblib)"] = [OURS, "hydra/launcher=joblib", f"hydra.launcher.n_jobs={_SLOTS}"]
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
    for number in range(rounds):
        for name, options in kinds.items():
            found[name].append(_searched(options, trials, seconds, number + 1))
    print(f"{trials} trials of {seconds:g} s on average (log-normal, sigma 0.5), {_SLOTS} slots, {rounds} rounds")
    for name, measured in found.items():
        idle = sum(share for share, _ in measured) / rounds
        length = sum(length for _, length in measured) / rounds
        print(f"{name:36} idle {100 * idle:5.1f} %   first start to last end {length:6.1f} s")


def _searched(options: list[str], trials: int, seconds: float, seed: int) -> tuple[float, float]:
    """The idle share from the first start to the last end, and the seconds between them."""
    workstation = [] if any("launcher=" in each for each in options) else ["hydra/launcher=workstation"]
    if workstation:
        workstation.append(f"hydra.launcher.jobs_per_device={_SLOTS}")
    drawn = f"hydra.sweeper.{'sampler.seed' if OTHER in options else 'seed'}={seed}"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "search.py").write_text(APP)
        command = [
            *(sys.executable, "search.py", "-m", *options, *workstation, drawn, f"hydra.sweeper.n_jobs={_SLOTS}"),
            *(f"hydra.sweeper.n_trials={trials}", "+x=interval(0.0,1.0)", f"+seconds={seconds}"),
            "hydra.sweep.dir=sweep",
        ]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        times = [json.loads(path.read_text()) for path in Path(folder).glob("sweep/*/times.json")]
    first, last = min(begun for begun, _ in times), max(ended for _, ended in times)
    busy = sum(ended - begun for begun, ended in times)
    return 1 - busy / (_SLOTS * (last - first)), last - first
