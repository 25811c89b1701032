"""The columns of a table of runs, and the names of what it measures."""

import pandas as pd

from rnn_mnist.runs.record import LEADING_COLUMNS, TRAILING_COLUMNS

METRICS = (
    "test_accuracy",
    "val_accuracy",
    "test_loss",
    "best_epoch",
    "parameters",
    "train_seconds",
    "images_per_second",
    "peak_memory_mib",
)


def config_keys(runs: pd.DataFrame) -> list[str]:
    """The configuration keys among the columns, in config order, without the seed."""
    known = {*LEADING_COLUMNS, *TRAILING_COLUMNS}
    return [column for column in runs.columns if column not in known]
