"""TensorBoard: event files in ``tensorboard/`` of the run's directory; over a sweep's folder, its HParams view."""

import shutil
import struct
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.plugins.text import metadata as text_metadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto

from hydra_plugins.workstation_launcher import State
from rnn_mnist.training.trackers.tracker import TrackedRun, Tracker, as_text

_ALWAYS_THERE = "train_loss"
_FINAL = 0
"""The step of the final figures; epochs count from 1."""


class TensorBoardTracker(Tracker):
    """A writer of event files; each attempt has one of its own beside those of earlier ones."""

    def begin(self, run: TrackedRun) -> Collection[int]:
        """Read which epochs are there, and open a file for those that come. What is trained anew begins anew."""
        folder = run.directory / "tensorboard"
        there = _steps(folder)
        if max(there, default=0) > run.epochs_done:
            shutil.rmtree(folder)
            there = set()
        self._has_final = _FINAL in there
        self._writer = EventFileWriter(str(folder))
        self._begun = time.time()
        self._start_session(run)
        self._writer.flush()
        return there - {_FINAL}

    def epoch(self, number: int, figures: Mapping[str, float]) -> None:
        """Write an epoch as one record, so that a kill leaves it whole or not at all."""
        self._write(number, figures)

    def end(self, state: State, figures: Mapping[str, float], error: str | None) -> None:
        """Write the final figures, and close the file."""
        # Killed after this and before the run had its result, it comes here again.
        if not self._has_final:
            self._write(_FINAL, figures)
        if error:
            self._add_text("error", error)
        status = {State.completed: api_pb2.STATUS_SUCCESS, State.failed: api_pb2.STATUS_FAILURE}
        ending = plugin_data_pb2.SessionEndInfo(
            status=status.get(state, api_pb2.STATUS_UNKNOWN), end_time_secs=time.time()
        )
        self._add_hparams(
            metadata.SESSION_END_INFO_TAG, plugin_data_pb2.HParamsPluginData(session_end_info=ending, version=0)
        )
        self._writer.close()

    def figures(self, sweep_directory: Path, paths: Sequence[Path]) -> None:
        """Keep them as images, in ``tensorboard/`` of the sweep's folder."""
        folder = sweep_directory / "tensorboard"
        shutil.rmtree(folder, ignore_errors=True)
        self._writer = EventFileWriter(str(folder))
        for path in paths:
            content = path.read_bytes()
            width, height = struct.unpack(">II", content[16:24])  # where a PNG has them
            image = Summary.Image(height=height, width=width, colorspace=4, encoded_image_string=content)
            self._add(Summary(value=[Summary.Value(tag=f"figures/{path.stem}", image=image)]))
        self._writer.close()

    def _start_session(self, run: TrackedRun) -> None:
        start = plugin_data_pb2.SessionStartInfo(start_time_secs=self._begun)
        for name, value in run.parameters.items():
            if isinstance(value, bool):
                start.hparams[name].bool_value = value
            elif isinstance(value, int | float):
                start.hparams[name].number_value = value
            else:
                start.hparams[name].string_value = as_text(value)
        self._add_hparams(
            metadata.SESSION_START_INFO_TAG, plugin_data_pb2.HParamsPluginData(session_start_info=start, version=0)
        )
        for name, text in run.tags.items():
            self._add_text(f"tags/{name}", text)

    def _write(self, step: int, figures: Mapping[str, float]) -> None:
        values = [Summary.Value(tag=name, simple_value=value) for name, value in figures.items()]
        self._add(Summary(value=values), step)
        self._writer.flush()

    def _add_hparams(self, tag: str, content: Any) -> None:
        about = metadata.create_summary_metadata(content)
        self._add(Summary(value=[Summary.Value(tag=tag, metadata=about, tensor=metadata.NULL_TENSOR)]))

    def _add_text(self, tag: str, text: str) -> None:
        about = text_metadata.create_summary_metadata(tag, "")
        tensor = make_tensor_proto([text.encode()], shape=(1,))
        self._add(Summary(value=[Summary.Value(tag=tag, metadata=about, tensor=tensor)]))

    def _add(self, summary: Any, step: int = 0) -> None:
        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))


def _steps(folder: Path) -> set[int]:
    """Those whose figures are in the event files of a folder; a record that a kill has cut off ends its file."""
    return {
        event.step
        for path in sorted(folder.glob("events.out.tfevents.*"))
        for event in EventFileLoader(str(path)).Load()
        if any(value.tag == _ALWAYS_THERE or value.tag.startswith("final/") for value in event.summary.value)
    }
