"""Hydra's own suites for sweeps, with this sweeper: over the launcher that streams, and over Hydra's in batches."""

import pytest
from hydra.test_utils.launcher_common_tests import BatchedSweeperTestSuite, LauncherTestSuite

pytest.importorskip("optuna", minversion="4.5")

pytestmark = pytest.mark.slow

# The suites' sweeps are grids, whose jobs they want in order; what their tasks return is often no number.
GRID = [
    "hydra/sweeper=optuna",
    "hydra.sweeper.sampler=grid",
    "hydra.sweeper.objectives=[one]",
    "hydra.sweeper.measure=tests.optuna.measures.one",
]


@pytest.mark.parametrize(
    ("launcher_name", "overrides"),
    [
        pytest.param("basic", [*GRID, "hydra.sweeper.n_jobs=10"], id="basic"),
        pytest.param("workstation", [*GRID, "hydra.launcher.start_method=fork"], id="workstation"),
    ],
)
class TestSweeps(LauncherTestSuite):
    pass


@pytest.mark.parametrize(("launcher_name", "overrides"), [("basic", [*GRID, "hydra.sweeper.n_jobs=2"])])
class TestBatched(BatchedSweeperTestSuite):
    pass
