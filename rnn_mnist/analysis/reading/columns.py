"""The columns of a table of runs."""

import pandas as pd

from rnn_mnist.runs.record import LEADING_COLUMNS, TRAILING_COLUMNS


def config_keys(runs: pd.DataFrame) -> list[str]:
    """The configuration keys among the columns, in config order, without the seed."""
    known = {*LEADING_COLUMNS, *TRAILING_COLUMNS}
    return [column for column in runs.columns if column not in known]
