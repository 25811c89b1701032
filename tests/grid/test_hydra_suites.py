"""Hydra's own test suites, whole, with this sweeper in the place of the basic one."""

import pytest
from hydra.core.plugins import Plugins
from hydra.test_utils.launcher_common_tests import BatchedSweeperTestSuite, IntegrationTestSuite, LauncherTestSuite

# Before a fixture of Hydra's notes what is registered, to put it back after each test: 1.4 registers a plugin once.
Plugins.instance()


@pytest.mark.parametrize(("launcher_name", "overrides"), [("basic", ["hydra/sweeper=grid"])])
class TestSweeper(LauncherTestSuite):
    pass


@pytest.mark.parametrize(
    ("launcher_name", "overrides"), [("basic", ["hydra/sweeper=grid", "hydra.sweeper.max_batch_size=2"])]
)
class TestBatched(BatchedSweeperTestSuite):
    pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task_launcher_cfg", "extra_flags"), [({}, ["-m", "hydra/launcher=basic", "hydra/sweeper=grid"])]
)
class TestIntegration(IntegrationTestSuite):
    pass
