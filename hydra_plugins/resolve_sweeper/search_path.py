"""Where Hydra finds ``hydra/sweeper=resolve``.

It is a file, last in Hydra's search path, and not an entry of the ``ConfigStore``: an application may have a file of
the same name with defaults of its own, and Hydra takes an entry of the store of that name for an outdated schema.
"""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin


class ResolveSearchPath(SearchPathPlugin):
    """Adds the folder ``conf`` of this package."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Called by Hydra before it composes."""
        search_path.append("resolve_sweeper", "pkg://hydra_plugins.resolve_sweeper.conf")
