"""What Hydra finds of the sweeper, what it costs those who do not use it, and what it is where another is installed."""

import subprocess
import sys
from importlib.util import find_spec

import pytest
from hydra.core.config_store import ConfigNode, ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from omegaconf import OmegaConf

from hydra_plugins.optuna_sweeper._options import options_table
from hydra_plugins.optuna_sweeper.search_path import rename_the_other_plugin
from tests.conftest import REPOSITORY


def test_hydra_finds_the_sweeper_once() -> None:
    classes = [plugin for plugin in Plugins.instance().discover(Sweeper) if plugin.__name__ == "OptunaSweeper"]
    assert [each.__module__ for each in classes if "hydra_optuna" not in each.__module__] == [
        "hydra_plugins.optuna_sweeper.sweeper"
    ]


def test_finding_it_imports_nothing_that_takes_time() -> None:
    code = """
import sys
sys.modules["hydra_plugins.hydra_optuna_sweeper"] = None
from hydra.core.plugins import Plugins
Plugins.instance()
assert "hydra_plugins.optuna_sweeper.sweeper" in sys.modules
print([name for name in ("numpy", "scipy", "pandas", "torch", "optuna") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"


def test_the_documentation_has_every_option() -> None:
    assert f"\n{options_table()}\n\n" in (REPOSITORY / "docs" / "optuna.md").read_text()


def test_where_another_plugin_has_the_name_it_gets_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    node = ConfigNode(
        name="optuna.yaml", node=OmegaConf.create(), group="hydra/sweeper", package=None, provider="other"
    )
    monkeypatch.setattr(ConfigStore.instance(), "repo", {"hydra": {"sweeper": {"optuna.yaml": node}}})
    rename_the_other_plugin()
    assert list(ConfigStore.instance().repo["hydra"]["sweeper"]) == ["hydra_optuna_sweeper.yaml"]


@pytest.mark.skipif(find_spec("optuna") is not None, reason="Optuna is installed")
def test_without_optuna_it_is_said_what_to_install() -> None:
    code = "import hydra; hydra.main(version_base=None, config_path=None)(lambda config: 1)()"
    done = subprocess.run(
        [sys.executable, "-c", code, "-m", "hydra/sweeper=optuna", "+x=interval(0,1)"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "hydra/sweeper=optuna: not installed; pip install 'rnn-mnist[optuna]'" in done.stderr
