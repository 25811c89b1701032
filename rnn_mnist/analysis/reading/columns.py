"""The columns of a table of runs."""

import pandas as pd

from rnn_mnist.runs.sweep import RESULT_COLUMNS

LEADING_COLUMNS = ("sweep", "directory", "run", "run_id", "setting_id", "status")
TRAILING_COLUMNS = ("seed", *RESULT_COLUMNS, "commit", "error", "question", "overrides")


def config_keys(runs: pd.DataFrame) -> list[str]:
    """The configuration keys among the columns, in config order, without the seed."""
    known = {*LEADING_COLUMNS, *TRAILING_COLUMNS}
    return [column for column in runs.columns if column not in known]
