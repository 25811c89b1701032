"""Hydra's own test suites for launchers, whole, in processes that are forked and in new interpreters."""

import re

import pytest
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.test_utils.launcher_common_tests import (
    BatchedSweeperTestSuite,
    IntegrationTestSuite,
    LauncherTestSuite,
)

from hydra_plugins.workstation_launcher.launcher import WorkstationLauncher
from tests.launcher.conftest import ROOT


def test_hydra_finds_the_launcher() -> None:
    names = [plugin.__name__ for plugin in Plugins.instance().discover(Launcher)]
    assert names.count(WorkstationLauncher.__name__) == 1


def test_what_is_private_in_hydra_is_used_in_one_module() -> None:
    folder = ROOT / "hydra_plugins" / "workstation_launcher"
    users = {
        path.name
        for path in folder.glob("*.py")
        if re.search(r"hydra\._internal|\._return_value\b|_get_node", path.read_text())
    }
    assert users == {"_hydra_internals.py"}


# Asked for, because pytest-xdist has threads in this process, and the launcher would not fork it of its own accord.
@pytest.mark.parametrize(("launcher_name", "overrides"), [("workstation", ["hydra.launcher.start_method=fork"])])
class TestForked(LauncherTestSuite):
    pass


@pytest.mark.slow
@pytest.mark.parametrize(("launcher_name", "overrides"), [("workstation", ["hydra.launcher.start_method=spawn"])])
class TestSpawned(LauncherTestSuite):
    pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("launcher_name", "overrides"),
    [("workstation", ["hydra/sweeper=basic", "hydra.sweeper.max_batch_size=2", "hydra.launcher.start_method=fork"])],
)
class TestBatched(BatchedSweeperTestSuite):
    pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task_launcher_cfg", "extra_flags"),
    # These cases run different programs one after another in one directory.
    [({}, ["-m", "hydra/launcher=workstation", "hydra.launcher.resume=false"])],
)
class TestIntegration(IntegrationTestSuite):
    pass
