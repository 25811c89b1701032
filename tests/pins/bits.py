"""Whether two run directories hold the same results, bit for bit; how long training took does not count."""

import csv
import json
from pathlib import Path
from typing import Any

import torch

TIMINGS = ("epoch_seconds", "images_per_second")
RESULT = ("run_id", "best_epoch", "val_accuracy", "test_accuracy", "test_loss", "parameters")


def assert_same_bits(now: Path, before: Path) -> None:
    """Fail for the first difference in metrics, predictions, accuracy by step, final figures and weights."""
    assert read_metrics(now) == read_metrics(before)
    for file in ("predictions.npy", "accuracy_by_step.csv"):
        assert (now / file).read_bytes() == (before / file).read_bytes(), file
    assert read_result(now) == read_result(before)
    weights, weights_before = read_weights(now), read_weights(before)
    assert list(weights) == list(weights_before)
    for key, weight in weights.items():
        assert weight.dtype == weights_before[key].dtype, key
        assert torch.equal(weight, weights_before[key]), key


def read_metrics(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open(newline="") as file:
        return [{key: text for key, text in row.items() if key not in TIMINGS} for row in csv.DictReader(file)]


def read_weights(run: Path) -> dict[str, torch.Tensor]:
    parts = torch.load(run / "model.pt", weights_only=True)
    return {f"{part}.{name}": weight for part, state in parts.items() for name, weight in state.items()}


def read_result(run: Path) -> dict[str, Any]:
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    return {key: result[key] for key in RESULT}
