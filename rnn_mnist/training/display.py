"""What a person sees while a run trains: a live line on a terminal, plain lines elsewhere."""

import logging
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from hydra_plugins.workstation_launcher import can_show_live, console, contained, in_job, let_go, report
from rnn_mnist.training.contention import Contention

if TYPE_CHECKING:
    from rnn_mnist.training.trainer import EpochMetrics

_REPORT_SECONDS = 0.5
"""How often a job of a sweep says how far it is."""

_REFRESH_SECONDS = 0.1
"""How often the bar is drawn, at most."""

_WIDE = 70
"""Columns of a terminal on which there is room for loss and accuracy beside the bar."""

_CONTENTION_SECONDS = 3
"""After which a slow epoch is not waited for to say why."""


class ConsoleHandler(logging.Handler):
    """Prints log records through rich's console, above a live display if there is one, without wrapping paths."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record; where its reader has gone (``| head``), or its terminal, what prints it goes on unseen."""
        try:
            console().out(self.format(record), highlight=False)
        except SystemExit:
            pass  # Rich's way to leave when a reader has gone; it prints no more
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """What cannot be written is no traceback; what cannot be formatted is."""
        if isinstance(sys.exc_info()[1], OSError):
            let_go()
        else:
            super().handleError(record)


class TrainingDisplay:
    """The progress of one run; a context manager.

    On a terminal a bar shows the steps done, the epoch's training loss and accuracy so far and the time left. Each
    finished epoch becomes a line in the log, there and elsewhere.
    """

    def __init__(
        self, log: logging.Logger, *, epochs: int, epochs_done: int, steps_per_epoch: int, threads: int = 1
    ) -> None:
        """``epochs_done`` are those that an earlier attempt finished; ``threads`` compute on the CPU."""
        self._contention: Contention | None = None if in_job() else Contention(threads)
        self._log, self._epochs, self._steps = log, epochs, steps_per_epoch
        figures = [TextColumn("{task.fields[figures]}")] if console().width >= _WIDE else []
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            *figures,
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=console(),
            transient=True,
            auto_refresh=False,  # by a thread, which would meet a terminal's end by itself
            disable=not can_show_live(),
        )
        self._epochs_done = epochs_done
        self._epochs_here = 0
        self._task = self._progress.add_task(
            self._description(), total=epochs * steps_per_epoch, completed=epochs_done * steps_per_epoch, figures=""
        )
        self._start = time.perf_counter()
        self._last_report = self._last_refresh = float("-inf")
        self._validation = ""

    def __enter__(self) -> "TrainingDisplay":
        """Start the live display."""
        with contained():
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the live display."""
        with contained():
            self._progress.stop()

    def step(self, step: int, loss: float, accuracy: float) -> None:
        """Show where the epoch stands: steps done, mean training loss and accuracy so far."""
        completed = self._epochs_done * self._steps + step
        if time.perf_counter() - self._last_report > _REPORT_SECONDS:
            self._last_report = time.perf_counter()
            if time.perf_counter() - self._start > _CONTENTION_SECONDS:
                self._warn_of_contention()
            report(f"{self._description()}{self._validation}", done=completed / (self._epochs * self._steps))
        figures = f"train loss {loss:.4f}, accuracy {accuracy:.2%}".replace("%", " %")
        self._progress.update(self._task, completed=completed, figures=figures)
        self._refresh()

    def epoch(self, metrics: "EpochMetrics") -> None:
        """Log a finished epoch, with the time left at the pace so far."""
        self._epochs_done += 1
        self._epochs_here += 1
        self._warn_of_contention()
        parts = [f"train loss {metrics.train_loss:.4f}, accuracy {100 * metrics.train_accuracy:.2f} %"]
        if metrics.val_accuracy is not None:
            self._validation = f", validation accuracy {100 * metrics.val_accuracy:.2f} %"
            parts.append(f"validation loss {metrics.val_loss:.4f}, accuracy {100 * metrics.val_accuracy:.2f} %")
        parts.append(f"{metrics.epoch_seconds:.1f} s")
        remaining = self._epochs - self._epochs_done
        if remaining > 0:
            pace = (time.perf_counter() - self._start) / self._epochs_here
            parts.append(f"about {remaining * pace:.0f} s left")
        self._log.info("epoch %d/%d: %s", metrics.epoch, self._epochs, "; ".join(parts))
        self._progress.update(self._task, description=self._description())

    def _warn_of_contention(self) -> None:
        line = self._contention.warning() if self._contention is not None else None
        if line is not None:
            self._log.warning("%s", line)
            self._contention = None

    def _refresh(self) -> None:
        if self._progress.disable or time.perf_counter() - self._last_refresh < _REFRESH_SECONDS:
            return
        self._last_refresh = time.perf_counter()
        with contained():
            self._progress.refresh()

    def _description(self) -> str:
        return f"epoch {min(self._epochs_done + 1, self._epochs)}/{self._epochs}"
