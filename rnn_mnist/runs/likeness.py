"""Whether two makings of one run came out the same: bit for bit, within rounding, or not. Imports no torch."""

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from hydra_plugins.workstation_launcher import NotPlainError, read_plain
from rnn_mnist.runs.files import RunFormatError, load_predictions

STEPS = 5
"""The first losses by which rounding is told from another run."""

TOLERANCE = 2e-6
"""How far apart, relatively, they may be.

Another order of additions in the matrix products, as other threads, processors or versions have it, moved them by at
most 3e-7 in seven networks; a learning rate that is 1 % higher by 2e-5 or more (docs/reproducibility.md). From there
on training makes differences larger with every step, until after an epoch at a high learning rate two makings are as
unlike as two seeds: their later figures can tell nothing more.
"""

_CLOCKS = ("epoch_seconds", "images_per_second")
_Row = Mapping[str, float | None]


class Kind(StrEnum):
    """How alike two makings are."""

    identical = "identical"
    rounding = "equal within rounding"
    different = "different"


@dataclass(frozen=True)
class Outcome:
    """What a run came to, as far as it is kept; None or empty where it is not.

    Attributes:
        metrics: a row an epoch, as in ``metrics.csv``, less what a clock says; None is an empty field.
        first_losses: mean training loss of each of the first steps.
        predictions: uint8 ``[image]``.
        accuracy_by_step: fractions ``[time step]``.
        weights: by name, of the chosen epoch.
    """

    metrics: Sequence[_Row]
    first_losses: Sequence[float] = ()
    predictions: np.ndarray | None = None
    accuracy_by_step: np.ndarray | None = None
    weights: Mapping[str, np.ndarray] | None = None

    @classmethod
    def read(cls, directory: Path, weights: Mapping[str, np.ndarray] | None = None) -> "Outcome":
        """That of a run on disk, with its weights, which torch reads.

        Raises:
            RunFormatError: if a file is there and cannot be read.
        """
        steps = _table(directory / "accuracy_by_step.csv")
        there = (directory / "predictions.npy").exists()
        return cls(
            _table(directory / "metrics.csv"),
            [row["train_loss"] or math.nan for row in _table(directory / "first_steps.csv")],
            load_predictions(directory) if there else None,
            np.array([row["test_accuracy"] for row in steps], dtype=float) if steps else None,
            weights,
        )


@dataclass(frozen=True)
class Likeness:
    """How two outcomes compare.

    Attributes:
        kind: identical, equal within rounding, or different.
        epoch: the first in which they differ, from 1; None where all epochs agree.
        what: the figure in which they are furthest apart; empty where there is none.
        largest: by how much, relative for losses and norms, absolute for accuracies; NaN where figures agree to the
            last digit, and predictions or weights do not.
        first_losses: the same of the first losses; None if one of them does not have those.
        compared: what both have.
        not_kept: what the first no longer has.
    """

    kind: Kind
    epoch: int | None
    what: str
    largest: float
    first_losses: float | None
    compared: tuple[str, ...]
    not_kept: tuple[str, ...]


def compare_outcomes(before: Outcome, now: Outcome, tolerance: float = TOLERANCE) -> Likeness:
    """Compare a run as it was made first with the same run made again, as far as both go.

    The losses of the first steps say whether what differs is rounding; of a run that does not have them, all metrics
    and the test accuracy after each step must be as close. Predictions and weights differ wherever rounding does, and
    say nothing more then; where all figures agree to the last digit and these do not, somebody has changed a file.
    """
    largest, what, first = _furthest(before.metrics, now.metrics)
    epochs = min(len(before.metrics), len(now.metrics))
    compared, not_kept = [f"{epochs} {'epoch' if epochs == 1 else 'epochs'}"], []
    parts: dict[str, tuple[Any, Any, Callable[[Any, Any], float]]] = {
        "test accuracy after each time step": (before.accuracy_by_step, now.accuracy_by_step, _largest_difference),
        "predictions": (before.predictions, now.predictions, _share_of_others),
        "weights": (before.weights, now.weights, _largest_of_weights),
    }
    altered = ""
    for name, (was, here, distance_of) in parts.items():
        if here is None:
            continue
        if was is None:
            not_kept.append(name)
            continue
        compared.append(name)
        apart = distance_of(was, here)
        if name.startswith("test accuracy") and apart > largest:
            largest, what = apart, name
        elif apart > 0 and largest == 0 and not altered:
            altered = name
    early = _of_first_losses(before.first_losses, now.first_losses)
    kind = Kind.identical
    if altered:
        kind, what, largest = Kind.different, altered, math.nan
    elif largest > 0:
        kind = Kind.rounding if (largest if early is None else early) <= tolerance else Kind.different
    return Likeness(kind, first, what, largest, early, tuple(compared), tuple(not_kept))


def _furthest(before: Sequence[_Row], now: Sequence[_Row]) -> tuple[float, str, int | None]:
    """The largest distance of two figures, which they are, and the first epoch in which any two differ."""
    largest, what, first = 0.0, "", None
    for epoch, (one, other) in enumerate(zip(before, now, strict=False), 1):
        for name in one:
            distance = _distance(name, one[name], other.get(name))
            if distance > 0 and first is None:
                first = epoch
            if distance > largest:
                largest, what = distance, f"{name} of epoch {epoch}"
    return largest, what, first


def _of_first_losses(before: Sequence[float], now: Sequence[float]) -> float | None:
    pairs = list(zip(before, now, strict=False))[:STEPS]
    return max((_distance("loss", *pair) for pair in pairs), default=None)


def _table(path: Path) -> list[dict[str, float | None]]:
    try:
        rows = csv.DictReader(io.StringIO(read_plain(path).decode()))
        return [
            {name: float(value) if value else None for name, value in row.items() if name not in _CLOCKS}
            for row in rows
        ]
    except FileNotFoundError:
        return []
    except (NotPlainError, OSError, ValueError, TypeError, csv.Error) as error:
        raise RunFormatError(f"{path}: unreadable: {' '.join(str(error).split())}") from error


def _distance(name: str, before: float | None, now: float | None) -> float:
    if before == now:
        return 0.0
    if before is None or now is None or not (math.isfinite(before) and math.isfinite(now)):
        return math.inf
    apart = abs(before - now)
    return apart if "accuracy" in name else apart / max(abs(before), abs(now))


def _largest_difference(before: np.ndarray, now: np.ndarray) -> float:
    return float(np.abs(before - now).max()) if before.shape == now.shape else math.inf


def _share_of_others(before: np.ndarray, now: np.ndarray) -> float:
    """The share of the images that get another class."""
    return float((before != now).mean()) if before.shape == now.shape else math.inf


def _largest_of_weights(before: Mapping[str, np.ndarray], now: Mapping[str, np.ndarray]) -> float:
    if before.keys() != now.keys():
        return math.inf
    return max(_largest_difference(before[name], now[name]) for name in before)
