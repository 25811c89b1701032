"""What Hydra finds of the sweeper, and what it costs those who do not use it."""

import subprocess
import sys

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper

from hydra_plugins.grid_sweeper._options import options_table
from hydra_plugins.grid_sweeper.sweeper import GridSweeper
from tests.conftest import REPOSITORY


def test_hydra_finds_the_sweeper_once() -> None:
    names = [plugin.__name__ for plugin in Plugins.instance().discover(Sweeper)]
    assert names.count(GridSweeper.__name__) == 1


def test_finding_it_imports_nothing_that_takes_time() -> None:
    code = """
import sys
from hydra.core.plugins import Plugins
Plugins.instance()
assert "hydra_plugins.grid_sweeper.sweeper" in sys.modules
print([name for name in ("numpy", "scipy", "pandas", "torch") if name in sys.modules])
"""
    # Without the site's other plugins, which may import what they like.
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"


def test_the_documentation_has_every_option() -> None:
    assert f"\n{options_table()}\n\n" in (REPOSITORY / "docs" / "grid.md").read_text()


def test_what_is_private_in_hydra_is_used_in_one_module() -> None:
    folder = REPOSITORY / "hydra_plugins" / "grid_sweeper"
    users = {path.name for path in folder.glob("*.py") if "hydra._internal" in path.read_text()}
    assert users == {"_hydra_internals.py"}
