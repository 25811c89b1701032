"""Where Hydra finds ``hydra/sweeper=grid``; a file and no entry of its store, for the reason that ``resolve`` has."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin


class GridSearchPath(SearchPathPlugin):
    """Adds the folder ``conf`` of this package."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Called by Hydra before it composes."""
        search_path.append("grid_sweeper", "pkg://hydra_plugins.grid_sweeper.conf")
