"""The figures that a run can be judged by: what they are called, in which unit, and which direction is good."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from rnn_mnist.analysis.reading.results import check_metric


@dataclass(frozen=True)
class Metric:
    """A column of the results table as people look at it.

    Attributes:
        key: the column.
        label: what an axis calls it, unit included.
        factor: from the value in the table to the one shown (accuracies: 100).
        decimals: digits after the point that mean something.
        higher_is_better: None where neither is.
        logarithmic: whether values usually span orders of magnitude.
    """

    key: str
    label: str
    factor: float = 1.0
    decimals: int = 2
    higher_is_better: bool | None = None
    logarithmic: bool = False

    @property
    def name(self) -> str:
        """The label without its unit."""
        return self.label.partition(" (")[0]

    @property
    def is_accuracy(self) -> bool:
        """Whether it is a share, shown in per cent."""
        return self.factor == 100

    def shown(self, values: Any) -> Any:
        """Values (a number, an array or a series) as they are drawn."""
        return values * self.factor

    def text(self, value: float) -> str:
        """A value of the table, as people read it."""
        shown = self.shown(value)
        return f"{shown:.{self.decimals}f} %" if self.is_accuracy else f"{shown:,.{self.decimals}f}"


_METRICS = {
    metric.key: metric
    for metric in (
        Metric("test_accuracy", "Test accuracy (%)", 100, higher_is_better=True),
        Metric("val_accuracy", "Validation accuracy (%)", 100, higher_is_better=True),
        Metric("test_loss", "Test loss (nats)", decimals=4, higher_is_better=False),
        Metric("best_epoch", "Best epoch", decimals=1),
        Metric("parameters", "Parameters", decimals=0, higher_is_better=False, logarithmic=True),
        Metric("train_seconds", "Training time (s)", decimals=1, higher_is_better=False, logarithmic=True),
        Metric("images_per_second", "Training speed (images/s)", decimals=0, higher_is_better=True),
        Metric("peak_memory_mib", "Peak memory (MiB)", decimals=0, higher_is_better=False),
    )
}


def find_metric(runs: pd.DataFrame, key: str) -> Metric:
    """The metric of that name.

    Raises:
        ResultsError: if there is none, or the runs have no value of it; names those there are.
    """
    check_metric(runs, key)
    return _METRICS[key]
