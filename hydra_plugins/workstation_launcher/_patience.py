"""A line now and then while something takes long that nothing else is seen of."""

import logging
import time

log = logging.getLogger("hydra_plugins.workstation_launcher")

_SILENT_SECONDS = 2.0


class Patience:
    """Says how far something has come, for the first time after two seconds, and then every two."""

    def __init__(self) -> None:
        """It begins now."""
        self._next = time.monotonic() + _SILENT_SECONDS

    def told(self, line: str, *parts: object) -> None:
        """Say a line if it is time for one."""
        if time.monotonic() >= self._next:
            log.info(line, *parts)
            self._next = time.monotonic() + _SILENT_SECONDS
