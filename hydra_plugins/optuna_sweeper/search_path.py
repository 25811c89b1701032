"""Where Hydra finds ``hydra/sweeper=optuna``.

It is a file, last in Hydra's search path, and not an entry of the ``ConfigStore``: an application may have a file of
the same name with defaults of its own, and Hydra takes an entry of the store of that name for an outdated schema. The
plugin ``hydra-optuna-sweeper`` has such an entry. Where both are installed, ``optuna`` is this one, and the other can
be chosen as ``hydra/sweeper=hydra_optuna_sweeper``.
"""

from dataclasses import replace

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.plugins.search_path_plugin import SearchPathPlugin

OTHER = "hydra_optuna_sweeper"
"""What the other plugin is called where both are installed: as its package."""


class OptunaSearchPath(SearchPathPlugin):
    """Adds the folder ``conf`` of this package."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Called by Hydra before it composes."""
        search_path.append("optuna_sweeper", "pkg://hydra_plugins.optuna_sweeper.conf")
        rename_the_other_plugin()


def rename_the_other_plugin() -> None:
    """Leave the name ``optuna`` to this plugin."""
    sweepers = ConfigStore.instance().repo.get("hydra", {}).get("sweeper", {})
    node = sweepers.pop("optuna.yaml", None)
    if node is not None:
        sweepers[f"{OTHER}.yaml"] = replace(node, name=f"{OTHER}.yaml")
