"""Where Hydra finds ``hydra/launcher=slurm`` and ``ray``.

They are files, last in Hydra's search path, and not entries of the ``ConfigStore``: an application may have files of
the same names with defaults of its own, and Hydra takes an entry of the store of that name for an outdated schema.
"""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin


class ClusterSearchPath(SearchPathPlugin):
    """Adds the folder ``conf`` of this package."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Called by Hydra before it composes."""
        search_path.append("workstation_launcher", "pkg://hydra_plugins.workstation_launcher.conf")
