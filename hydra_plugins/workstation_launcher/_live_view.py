"""The part of a terminal that is drawn again and again while a sweep runs: how it stands, and the jobs that run."""

import logging
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hydra_plugins.workstation_launcher._output import can_show_live, console, contained, printable

_BAR = 30
_NOT_ROWS = 3
"""Lines of the screen for the heading, for how many jobs are left out, and for the cursor."""


class LiveView:
    """A heading with a bar, and a row for each running job, as many as the screen has lines for."""

    def __init__(self) -> None:
        """Nothing is shown before :meth:`start`."""
        self._live: Live | None = None
        self._redirected: list[tuple[logging.StreamHandler[Any], Any]] = []

    @property
    def is_shown(self) -> bool:
        """Whether there is a view; plain lines take its place where there is none."""
        return self._live is not None

    @property
    def most_rows(self) -> int:
        """Jobs that fit on the screen."""
        return max(1, console().height - _NOT_ROWS)

    def start(self) -> None:
        """Begin, on a terminal that can show it."""
        if not can_show_live():
            return
        live = Live(console=console(), transient=True, auto_refresh=False)
        before = {sys.stdout: "stdout", sys.stderr: "stderr"}
        with contained():
            live.start()
            self._live = live
            # Rich puts its own streams in their place while the view lives; loggers go on holding the old ones.
            for handler in logging.getLogger().handlers:
                if isinstance(handler, logging.StreamHandler) and handler.stream in before:
                    self._redirected.append((handler, handler.stream))
                    handler.setStream(getattr(sys, before[handler.stream]))

    def stop(self) -> None:
        """Remove the view."""
        live, self._live = self._live, None
        for handler, stream in self._redirected:
            with contained():
                handler.setStream(stream)
        self._redirected.clear()
        if live is not None:
            with contained():
                live.stop()

    def draw(
        self, heading: str, *, done: int, total: int, rows: Sequence[tuple[str, str, str, str, str]], left_out: int
    ) -> None:
        """Draw it anew; ``rows`` are number, place, time, label and message of the jobs."""
        if self._live is None:
            return
        top = Table.grid(padding=(0, 1))
        top.add_column(no_wrap=True)
        top.add_column(no_wrap=True, overflow="ellipsis")
        width = min(_BAR, console().width // 4)
        top.add_row(ProgressBar(total=max(1, total), completed=done, width=width), Text(heading))
        table = Table.grid(padding=(0, 2))
        for justify in ("right", "left", "right"):
            table.add_column(no_wrap=True, overflow="ellipsis", justify=justify)
        for _ in ("label", "message"):
            table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        parts: list[RenderableType] = [top, table]
        if left_out:
            parts.append(Text(f"and {left_out} more are running"))
        try:
            self._live.update(Group(*parts), refresh=True)
        except BaseException:
            self.stop()  # what cannot be drawn once is not tried again
            raise
