"""The sweeper hydra-optuna-sweeper over the launcher: batches, one lock; beside our own, which has its name."""

import json
from importlib import util

import pytest

from tests.launcher.conftest import App

if util.find_spec("hydra_plugins.hydra_optuna_sweeper") is None:
    pytest.skip("hydra-optuna-sweeper is not installed; CI's lane for Hydra 1.4 has it", allow_module_level=True)


def test_optuna_gets_the_values_of_its_jobs(app: App) -> None:
    overrides = [
        "hydra/sweeper=hydra_optuna_sweeper", "hydra.sweeper.n_trials=6", "hydra.sweeper.n_jobs=2",
        "hydra.sweeper.direction=maximize", "hydra.sweeper.sampler.seed=1", "+x=interval(0.0,1.0)",
    ]  # fmt: skip
    done = app.run(*overrides)
    assert done.returncode == 0, done.stderr
    values = [json.loads(path.read_text())["return_value"] for path in app.sweep.glob("*/status.json")]
    assert len(values) == 6
    best = (app.sweep / "optimization_results.yaml").read_text()
    assert f"best_value: {max(values)}" in best
    assert len(json.loads((app.sweep / "sweep.json").read_text())["jobs"]) == 6
    again = app.run(*overrides)
    assert again.returncode == 0, again.stderr
    assert len(app.ran()) == 6
