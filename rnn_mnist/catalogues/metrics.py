"""The figures that a run or an epoch is judged by. An entry here is all that a new one needs.

Its column in ``results.csv``, ``--metric`` and its help, the axes of figures, the cells of tables and the words of
sentences follow from the entry.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from rnn_mnist.catalogues.catalogue import Catalogue

Measure = Callable[[np.ndarray, np.ndarray, np.ndarray], float]
"""From the true classes ``[image]``, the predicted classes ``[image]`` and the log probabilities ``[image, class]``."""


@dataclass(frozen=True)
class Metric:
    """A measured column as people look at it.

    Attributes:
        key: the column.
        label: what it is called.
        unit: of a value as shown; empty for counts.
        scale: from the value in the files to the one shown (accuracies: 100).
        decimals: digits after the point that mean something.
        higher_is_better: None where neither direction is.
        logarithmic: whether values usually span orders of magnitude.
        of_run: whether it is a column of a run's result.
        of_epoch: whether it is a column of ``metrics.csv``.
        margin: a difference up to this does not matter, unless somebody says otherwise; None: that is not known.
        counted_on: the images whose number limits how well a value is known; empty where it is no share of images.
        step: between neighbouring values, where it is known no better and is no share of images; 0 for none.
        measure: works it out from the test images; None for what the training loop itself knows.
    """

    key: str
    label: str
    unit: str = ""
    scale: float = 1.0
    decimals: int = 2
    higher_is_better: bool | None = None
    logarithmic: bool = False
    of_run: bool = True
    of_epoch: bool = False
    margin: float | None = None
    counted_on: Literal["", "validation", "test"] = ""
    step: float = 0.0
    measure: Measure | None = None

    @property
    def name(self) -> str:
        """Under which the catalogue has it."""
        return self.key

    @property
    def axis_label(self) -> str:
        """The label with its unit, as an axis or a heading has it."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def difference_unit(self) -> str:
        """The unit of a difference: that of accuracies is no per cent."""
        return "points" if self.unit == "%" else self.unit

    @property
    def difference_label(self) -> str:
        """What an axis of differences is called."""
        unit = "percentage points" if self.unit == "%" else self.unit
        return f"Difference in {self.label.lower()}" + (f" ({unit})" if unit else "")

    def shown(self, values: Any) -> Any:
        """Values (a number, an array or a series) as they are shown."""
        return values * self.scale

    def number(self, value: float) -> str:
        """A value as shown, without its unit: ``97.43``; an en dash where there is none."""
        return "–" if math.isnan(value) else f"{self.shown(value):,.{self.decimals}f}"

    def difference(self, value: float) -> str:
        """A difference as shown, with its sign and without its unit: ``+0.42``."""
        # Adding 0 makes a plain zero of a negative one.
        return "–" if math.isnan(value) else f"{round(self.shown(value), self.decimals) + 0.0:+,.{self.decimals}f}"

    def text(self, value: float) -> str:
        """A value with its unit: ``97.43 %``."""
        return f"{self.number(value)} {self.unit}".rstrip()

    def size_text(self, difference: float) -> str:
        """The size of a difference with its unit: ``0.42 points``."""
        return f"{self.number(difference)} {self.difference_unit}".rstrip()


METRICS = Catalogue(
    "metrics",
    Metric,
    (
        # Those of a run, in the order of the columns of results.csv.
        Metric("best_epoch", "Best epoch", decimals=1, step=1.0),
        Metric(
            "val_accuracy",
            "Validation accuracy",
            "%",
            100,
            higher_is_better=True,
            of_epoch=True,
            margin=0.001,
            counted_on="validation",
        ),
        Metric("test_accuracy", "Test accuracy", "%", 100, higher_is_better=True, margin=0.001, counted_on="test"),
        Metric("test_loss", "Test loss", "nats", decimals=4, higher_is_better=False),
        Metric("parameters", "Parameters", decimals=0, higher_is_better=False, logarithmic=True),
        Metric("train_seconds", "Training time", "s", decimals=1, higher_is_better=False, logarithmic=True),
        Metric("images_per_second", "Training speed", "images/s", decimals=0, higher_is_better=True, of_epoch=True),
        Metric("peak_memory_mib", "Peak memory", "MiB", decimals=0, higher_is_better=False),
        # Those of an epoch alone.
        Metric("train_loss", "Training loss", "nats", decimals=4, higher_is_better=False, of_run=False, of_epoch=True),
        Metric("train_accuracy", "Training accuracy", "%", 100, higher_is_better=True, of_run=False, of_epoch=True),
        Metric("val_loss", "Validation loss", "nats", decimals=4, higher_is_better=False, of_run=False, of_epoch=True),
        Metric("learning_rate", "Learning rate", decimals=6, logarithmic=True, of_run=False, of_epoch=True),
        Metric("gradient_norm", "Gradient norm", decimals=3, logarithmic=True, of_run=False, of_epoch=True),
        Metric("epoch_seconds", "Epoch time", "s", decimals=1, higher_is_better=False, of_run=False, of_epoch=True),
    ),
)


def run_metrics() -> tuple[str, ...]:
    """The keys of what a run's result holds, in the order of its columns."""
    return tuple(key for key, metric in METRICS.items() if metric.of_run)
