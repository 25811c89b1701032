"""A sweep's directories as files, in the formats of the real ones, with effects and noise that are known.

Test accuracies follow ``accuracy(levels) + noise``, where the noise of a run is drawn from its seed and setting.
Whatever a real run would record differently from what was asked for (dropout with one layer) is so here too, because
the configuration passes through the real checks.
"""

import io
import itertools
import json
import math
import os
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hydra_plugins.workstation_launcher import directory_name
from rnn_mnist.configuration.identity import config_as_dict, run_id, setting_id
from rnn_mnist.configuration.resolution import Resolved, resolve
from rnn_mnist.configuration.schema import SELECTORS, Config, TrainingConfig, chosen
from rnn_mnist.data.files import load_test_images
from rnn_mnist.runs.sweep import update_results

COMMIT = "0123456789abcdef0123456789abcdef01234567"
STEPS = 28

_DEFAULTS = {"model": "lstm", "sequence": "rows", "data": "mnist", "optimizer": "adam", "schedule": "constant"}


def write_sweep(
    directory: Path,
    grid: Mapping[str, Sequence[Any]] | None = None,
    *,
    settings: Iterable[Mapping[str, Any]] = (),
    seeds: Iterable[int] = range(5),
    accuracy: Callable[[dict[str, Any]], float] = lambda _: 0.97,
    noise: float | Callable[[dict[str, Any]], float] = 0.002,
    shared_noise: float = 0.0,
    no_op: Sequence[str] = (),
    states: Mapping[int, str] | None = None,
    validation_noise: float = 0.001,
    epochs: int = 4,
    files: bool = True,
    base: Mapping[str, Any] | None = None,
    question: str = "What does it do?",
) -> list[Path]:
    """Write a sweep and return the directories of its runs, in the order in which they were run (seed slowest).

    Args:
        directory: the sweep's; its name is the sweep's name.
        grid: the levels of each override (``model.num_layers``, or a group: ``model``).
        settings: the overrides of each setting, for designs that are no grid.
        seeds: one run each for every setting.
        accuracy: the expected test accuracy, a fraction, of a setting's overrides.
        noise: standard deviation between the seeds of a setting, or a function of its overrides that gives it.
        shared_noise: standard deviation of a part that all runs of one seed have in common.
        no_op: overrides that change nothing: runs that differ in them alone have identical predictions.
        states: position of a run in the order, and its state (failed, running, interrupted, pruned); others: completed.
        validation_noise: standard deviation of validation about test accuracy.
        epochs: rows of metrics.csv.
        files: whether to write metrics, predictions and accuracies by step as well, and ``results.csv``.
        base: overrides that all runs share.
        question: what the sweep asks.
    """
    planned = [dict(setting) for setting in settings]
    if grid is not None:
        planned += [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    written: dict[str, Path] = {}
    for seed in seeds:
        for setting in planned:
            overrides = {**(base or {}), **setting}
            resolved = resolve(_config(overrides, seed, directory.name, question))
            config = resolved.config
            identifier = run_id(config)
            if identifier in written:
                continue  # the real harness recognizes it and does not train it twice
            given = [f"seed={seed}", *(f"{key}={_spelled(value)}" for key, value in overrides.items())]
            run = directory / directory_name(identifier, given)
            state = (states or {}).get(len(written), "completed")
            written[identifier] = run
            effective = {key: value for key, value in overrides.items() if key not in no_op}
            if overrides.get("model.dropout") and config.model.num_layers == 1:
                effective["model.dropout"] = 0.0
            draw = np.random.default_rng([seed, *json.dumps(effective, sort_keys=True).encode()])
            spread = noise(effective) if callable(noise) else noise
            common = np.random.default_rng([seed, 1]).normal(0, shared_noise) if shared_noise else 0.0
            test = accuracy(effective) + common + draw.normal(0, spread)
            validation = test + draw.normal(0, validation_noise)
            _write_run(run, resolved, given, state, _share(test), _share(validation), epochs, files, draw)
    plan = {"schema_version": 1, "command": ["synthetic"], "runs": [run.name for run in written.values()]}
    (directory / "sweep.json").write_text(json.dumps(plan))
    if files:
        update_results(directory)
    return list(written.values())


def _share(accuracy: float) -> float:
    """A fraction of 10,000 images."""
    return round(min(max(accuracy, 0.0), 1.0) * 10_000) / 10_000


def _spelled(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _config(overrides: Mapping[str, Any], seed: int, sweep: str, question: str) -> Config:
    config = Config(
        **{group: chosen(group, overrides.get(group, default)) for group, default in _DEFAULTS.items()},
        training=TrainingConfig(threads=1),
        seed=seed,
        sweep=sweep,
        question=question,
    )
    for key, value in overrides.items():
        if key not in SELECTORS:
            config = _replaced(config, key.split("."), value)
    return config


def _replaced(config: Any, path: list[str], value: Any) -> Any:
    if len(path) == 1:
        return replace(config, **{path[0]: value})
    return replace(config, **{path[0]: _replaced(getattr(config, path[0]), path[1:], value)})


def _write_run(
    run: Path,
    resolved: Resolved,
    overrides: list[str],
    state: str,
    test: float,
    validation: float,
    epochs: int,
    files: bool,
    draw: np.random.Generator,
) -> None:
    run.mkdir(parents=True)
    config = resolved.config
    identifier, completed = run_id(config), state == "completed"
    manifest = {
        "schema_version": 1,
        "run_id": identifier,
        "setting_id": setting_id(config),
        "config": config_as_dict(config),
        "changes": [vars(change) for change in resolved.changes],
        "overrides": overrides,
        "code": {"commit": COMMIT, "dirty": False, "source_sha256": "c" * 64},
        "python": "3.11.7",
        "versions": {"torch": "2.14.1"},
        "platform": "Linux",
        "host": "here",
        "command": ["python", "-m", "rnn_mnist.train", "-m"],
        "device": "cpu",
        "threads": 1,
        "precision": "fp32",
        "data_sha256": "0" * 64,
        "start": "2026-01-01T00:00:00+00:00",
        "end": "2026-01-01T00:01:00+00:00" if state != "running" else None,
        "earlier_attempts": [],
    }
    status: dict[str, Any] = {
        "schema_version": 1,
        "state": state,
        "attempts": 1,
        "started": "2026-01-01T00:00:00+00:00",
    }
    if state == "running":  # by this process, which is there
        status |= {"host": socket.gethostname(), "pid": os.getpid()}
    if state == "failed":
        status["error"] = "loss is nan in epoch 2, step 7"
    if completed:
        status |= {"ended": "2026-01-01T00:01:00+00:00", "return_value": validation}
    _write_json(run / "manifest.json", manifest)
    _write_json(run / "status.json", status)
    if completed:
        parameters = _parameters(config)
        result = {
            "schema_version": 1,
            "run_id": identifier,
            "best_epoch": epochs,
            "val_accuracy": validation,
            "test_accuracy": test,
            "test_loss": 4 * (1 - test),
            "parameters": parameters,
            "train_seconds": round(parameters / 5000 * float(draw.uniform(0.95, 1.05)), 3),
            "images_per_second": 5e8 / parameters,
            "peak_memory_mib": 800.0,
            "device": "cpu",
        }
        _write_json(run / "result.json", result)
    if files:
        _write_metrics(run / "metrics.csv", validation, epochs if completed else max(1, epochs // 2))
        if completed:
            _write_outcome(run, test, draw)


def _parameters(config: Config) -> int:
    """About as many as the real model has."""
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[config.model.cell]
    model = config.model
    return gates * model.num_layers * model.num_directions * model.hidden_size * (model.hidden_size + 30)


def _write_metrics(path: Path, validation: float, epochs: int) -> None:
    lines = [
        "epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,gradient_norm,epoch_seconds,images_per_second"
    ]
    for epoch in range(1, epochs + 1):
        reached = validation - 0.3 * (math.exp(-1.5 * epoch) - math.exp(-1.5 * epochs))
        loss = 4 * (1 - reached)
        lines.append(f"{epoch},{loss},{reached + 0.002},{loss},{reached:.4f},0.003,1.0,5.0,11000.0")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_outcome(run: Path, test: float, draw: np.random.Generator) -> None:
    """Predictions whose share of hits is the test accuracy, and the accuracy after each time step."""
    labels = load_test_images()[1]
    # The same images are hard for every network: a wrong one is drawn with weights that all runs share.
    difficulty = np.random.default_rng(0).exponential(size=len(labels)) ** 3
    wrong = np.argsort(draw.exponential(size=len(labels)) / difficulty)[: round((1 - test) * len(labels))]
    predictions = labels.copy()
    predictions[wrong] = (labels[wrong] + draw.integers(1, 10, size=len(wrong))) % 10
    buffer = io.BytesIO()
    np.save(buffer, predictions)
    (run / "predictions.npy").write_bytes(buffer.getvalue())
    rows = ["step,test_accuracy"]
    rows.extend(
        f"{step},{test if step == STEPS else 0.1 + (test - 0.1) / (1 + math.exp(14 - step)):.4f}"
        for step in range(1, STEPS + 1)
    )
    (run / "accuracy_by_step.csv").write_text("\n".join(rows) + "\n")


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
