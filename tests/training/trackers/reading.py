"""What lies in the trackers' stores of a sweep, read through their own readers."""

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Found:
    """A run as a tracker has it: (epoch, validation accuracy) of each epoch in the order of writing, and the rest."""

    epochs: list[tuple[int, float]] = field(default_factory=list)
    final: dict[str, float] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    group: str = ""
    state: str = ""


def tensorboard(sweep: Path) -> dict[str, Found]:
    runs = map(_tensorboard_run, sweep.glob("*/tensorboard"))
    return {found.tags["run_id"]: found for found in runs if "run_id" in found.tags}


def _tensorboard_run(folder: Path) -> Found:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    found = Found(group=folder.parent.parent.name)
    series = {tag: events.Scalars(tag) for tag in events.Tags()["scalars"]}
    found.epochs = [(event.step, event.value) for event in series.get("val_accuracy", [])]
    for tag, points in series.items():
        if tag.startswith("final/"):
            (point,) = points
            found.final[tag] = point.value
    for tag in events.Tags()["tensors"]:
        if tag.startswith("tags/"):
            found.tags[tag.removeprefix("tags/")] = events.Tensors(tag)[-1].tensor_proto.string_val[0].decode()
    for about in events.summary_metadata.values():
        if about.plugin_data.plugin_name == "hparams":
            content = HParamsPluginData.FromString(about.plugin_data.content)
            found.state = {1: "completed", 2: "failed"}.get(content.session_end_info.status, found.state)
            for name, value in content.session_start_info.hparams.items():
                found.parameters[name] = getattr(value, str(value.WhichOneof("kind")))
    return found


def mlflow(sweep: Path) -> dict[str, Found]:
    from mlflow import MlflowClient

    if not (sweep / "mlflow.db").exists():
        return {}
    client = MlflowClient(f"sqlite:///{sweep / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("rnn_mnist")
    if experiment is None:
        return {}
    (parent,) = client.search_runs([experiment.experiment_id], "tags.sweep_id != ''")  # one for all
    runs = {}
    for run in client.search_runs([experiment.experiment_id], "tags.run_id != ''"):
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        history = client.get_metric_history(run.info.run_id, "val_accuracy")
        finals = {name: value for name, value in run.data.metrics.items() if name.startswith("final/")}
        for name in finals:
            assert len(client.get_metric_history(run.info.run_id, name)) == 1
        assert run.data.tags["run_id"] not in runs
        runs[run.data.tags["run_id"]] = Found(
            [(point.step, point.value) for point in history],
            finals,
            dict(run.data.tags),
            dict(run.data.params),
            parent.info.run_name,
            {"FINISHED": "completed", "FAILED": "failed"}.get(run.info.status, run.info.status),
        )
    return runs


def wandb(sweep: Path) -> dict[str, Found]:
    runs: dict[str, Found] = {}
    for path in sorted(sweep.glob("wandb/offline-run-*/*.wandb")):
        found = Found()
        for record in _records(path):
            kind = record.WhichOneof("record_type")
            if kind == "run":
                config = {item.key: json.loads(item.value_json) for item in record.run.config.update}
                found.group = record.run.run_group
                found.tags = {key[5:]: value for key, value in config.items() if key.startswith("tags/")}
                found.parameters = {key: value for key, value in config.items() if not key.startswith("tags/")}
                run = runs.setdefault(record.run.run_id, found)
                found.epochs = run.epochs  # of another file of the same run
                runs[record.run.run_id] = found
            elif kind == "history":
                values = {".".join(item.nested_key) or item.key: item.value_json for item in record.history.item}
                if "val_accuracy" in values:
                    found.epochs.append((int(values["_step"]), float(values["val_accuracy"])))
            elif kind == "summary":
                values = {".".join(item.nested_key) or item.key: item.value_json for item in record.summary.update}
                found.final |= {name: float(value) for name, value in values.items() if name.startswith("final/")}
                found.state = json.loads(values.get("state", json.dumps(found.state)))
    return runs


def _records(path: Path) -> Iterator[Any]:
    """Of a transaction log: LevelDB's format of 32 KiB blocks after a header of 7 bytes; W&B reads it in Go."""
    from wandb.proto import wandb_internal_pb2

    records: Any = wandb_internal_pb2

    content, position, parts = path.read_bytes(), 7, b""
    while position + 7 <= len(content):
        left = 32768 - position % 32768
        if left < 7:
            position += left
            continue
        _, length, kind = struct.unpack_from("<IHB", content, position)
        part = content[position + 7 : position + 7 + length]
        if len(part) < length or kind == 0:
            return  # cut off
        position += 7 + length
        parts += part
        if kind in (1, 4):  # whole, or the last part
            yield records.Record.FromString(parts)
            parts = b""


READERS: dict[str, Callable[[Path], dict[str, Found]]] = {
    "tensorboard": tensorboard,
    "mlflow": mlflow,
    "wandb": wandb,
}
