"""A finished run in one number, as it is shown: what ``hydra/sweeper=resolve`` compares."""

import math
from pathlib import Path

from rnn_mnist.catalogues.metrics import METRICS
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.record import State, read_run


def test_accuracy(directory: Path) -> float:
    """The test accuracy of a run in per cent, so that differences are points; raises as :func:`shown` does."""
    return shown(directory, "test_accuracy")


def test_loss(directory: Path) -> float:
    """The test loss of a run in nats, of which less is better; raises as :func:`shown` does."""
    return shown(directory, "test_loss")


def val_accuracy(directory: Path) -> float:
    """The validation accuracy of a run's best epoch in per cent; raises as :func:`shown` does."""
    return shown(directory, "val_accuracy")


def shown(directory: Path, metric: str) -> float:
    """A metric of a run, in the unit in which it is shown.

    Args:
        directory: of the run.
        metric: a column of ``results.csv``.

    Returns:
        The value; NaN for a run that diverged, which is an outcome of its configuration.

    Raises:
        ExpectedError: if the run has no result for any other reason.
    """
    record = read_run(directory)
    if record.diverged:
        return math.nan
    value = record.result.get(metric)
    if record.state != State.completed or value is None:
        raise ExpectedError(record.error or f"{directory}: {record.state}, without a {METRICS[metric].label.lower()}")
    return float(METRICS[metric].shown(value))
