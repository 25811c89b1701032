"""The trackers of a run at work: each in a thread of its own, which the training neither waits for nor hears of."""

import importlib
import logging
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from hydra_plugins.workstation_launcher import State
from rnn_mnist.catalogues.trackers import TrackerSpec
from rnn_mnist.configuration.identity import flatten
from rnn_mnist.training.trackers.tracker import TrackedRun, Tracker

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 60.0
"""How long a call may take before the end of a run waits for it no longer."""

INTERRUPTED_PATIENCE_SECONDS = 3.0
"""The same after Ctrl-C, when somebody waits."""

_TRIES_AT_END = 3
_PAUSE_SECONDS = 0.5
_SWITCH_SECONDS = 2e-4
"""After which a thread that computes gives way to another. Training lets go of the interpreter in each operation, and
with Python's own 5 ms it waits as long after each of them while a tracker is being imported."""

_TAGS = ("setting_id", "run_id", "device", "host")


@dataclass(frozen=True)
class _Ending:
    state: State
    figures: Mapping[str, float]
    error: str | None


class Tracking:
    """What a run's loop tells its trackers, whatever becomes of them."""

    def __init__(self, specs: Sequence[TrackerSpec]) -> None:
        """Nothing is imported and no thread started before :meth:`begin`."""
        self._specs = specs
        self._lines: list[_Line] = []

    def begin(self, directory: Path, manifest: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> None:
        """The run is about to train, and has done the epochs of ``history``, rows of ``metrics.csv``."""
        if not self._specs:
            return
        run = tracked_run(directory, manifest, len(history))
        self._switch_interval = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._lines = [_Line(spec, run) for spec in self._specs]
        for row in history:
            self.epoch(row)

    def epoch(self, row: Mapping[str, Any]) -> None:
        """An epoch is done and kept: a row of ``metrics.csv``."""
        for line in self._lines:
            line.put((int(row["epoch"]), _numbers(row, leave_out="epoch")))

    def end(self, state: State, result: Mapping[str, Any] | None = None, error: str | None = None) -> dict[str, str]:
        """The attempt has ended. Does nothing a second time.

        Returns:
            When the trackers have everything, or do not answer: what each of those that lack something first raised.
        """
        lines, self._lines = self._lines, []
        figures = {f"final/{name}": value for name, value in _numbers(result or {}).items()}
        for line in lines:
            line.put(_Ending(state, figures, error))
        patience = INTERRUPTED_PATIENCE_SECONDS if state == State.interrupted else PATIENCE_SECONDS
        for line in lines:
            line.wait(patience)
        if lines:
            sys.setswitchinterval(self._switch_interval)
        return {line.spec.name: line.reason for line in lines if line.lacks_something}


def make(spec: TrackerSpec) -> Tracker:
    """A tracker of that kind; what importing it raises comes out."""
    module, _, name = spec.tracker.rpartition(".")
    tracker: Tracker = getattr(importlib.import_module(module), name)()
    return tracker


def tracked_run(directory: Path, manifest: Mapping[str, Any], epochs_done: int) -> TrackedRun:
    """What trackers are told of the run that has this directory and manifest."""
    place = directory.absolute()
    tags = {"sweep": place.parent.name, **{tag: manifest.get(tag) for tag in _TAGS}}
    tags["commit"] = (manifest.get("code") or {}).get("commit")
    return TrackedRun(
        run_id=manifest["run_id"],
        name=place.name,
        directory=place,
        sweep=place.parent.name,
        sweep_directory=place.parent,
        parameters=flatten(manifest["config"]),
        tags={tag: str(value) for tag, value in tags.items() if value is not None},
        epochs_done=epochs_done,
    )


def _numbers(row: Mapping[str, Any], leave_out: str = "schema_version") -> dict[str, float]:
    return {
        name: value
        for name, value in row.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and name != leave_out
    }


@dataclass
class _Line:
    """The line to one tracker: what is to be written waits in it, and goes out in order."""

    spec: TrackerSpec
    run: TrackedRun
    _queue: "SimpleQueue[tuple[int, Mapping[str, float]] | _Ending]" = field(default_factory=SimpleQueue)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._tracker: Tracker | None = None
        self._there: set[int] = set()
        self._waiting: list[tuple[int, Mapping[str, float]]] = []
        self.reason = ""
        self.lacks_something = True
        self._moved = time.monotonic()
        self._calling_since: float | None = None
        # As a daemon, so that one that hangs does not keep the process from its end.
        threading.Thread(target=self._work, name=f"tracker {self.spec.name}", daemon=True).start()

    def put(self, message: "tuple[int, Mapping[str, float]] | _Ending") -> None:
        """Add to what is to be written; returns at once."""
        self._queue.put(message)

    def wait(self, seconds: float) -> None:
        """Until all is written, or the call that is being made has taken so long, or is to be made again and again."""
        begun = time.monotonic()
        while not self._ended.wait(0.02):
            now, since = time.monotonic(), self._calling_since
            if now - (begun if since is None else since) > seconds or now - max(begun, self._moved) > seconds:
                self._say(f"no answer for {seconds:.0f} s")
                return

    def _work(self) -> None:
        ending: _Ending | None = None
        while ending is None:
            # All that has come up to now: after a call that took long, there is no use in as many of them.
            for message in _all_of(self._queue):
                if isinstance(message, _Ending):
                    ending = message
                else:
                    self._waiting.append(message)
            # What fails before the end is tried again with what comes next, and at the end once more.
            for _ in range(_TRIES_AT_END if ending is not None and not self.reason else 1):
                if self._tried(ending):
                    break
                time.sleep(_PAUSE_SECONDS)
        self._ended.set()

    def _tried(self, ending: _Ending | None) -> bool:
        self._calling_since = time.monotonic()
        try:
            self._write(ending)
        except BaseException as error:  # some end a program that they do not like
            self._say(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
            return False
        finally:
            self._calling_since = None
        return True

    def _write(self, ending: _Ending | None) -> None:
        if self._tracker is None:
            tracker = make(self.spec)
            self._there = set(tracker.begin(self.run))
            self._tracker = tracker
            self._move()
        while self._waiting:
            number, figures = self._waiting[0]
            if number not in self._there:
                self._tracker.epoch(number, figures)
                self._there.add(number)
                self._move()
            del self._waiting[0]
        if ending is not None:
            self._tracker.end(ending.state, ending.figures, ending.error)
            self.lacks_something = False

    def _move(self) -> None:
        """A call has returned, and the next begins."""
        self._moved = self._calling_since = time.monotonic()

    def _say(self, reason: str) -> None:
        if not self.reason:
            self.reason = reason
            log.warning("warning: tracker=%s: %s; the run itself is not harmed", self.spec.name, reason)


def _all_of(queue: "SimpleQueue[Any]") -> Iterable[Any]:
    yield queue.get()
    while True:
        try:
            yield queue.get_nowait()
        except Empty:
            return
