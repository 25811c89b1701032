"""A table of runs or of results, by its columns and by its rows."""

from typing import Any, cast

import pandas as pd


def config_keys(runs: pd.DataFrame) -> list[str]:
    """The configuration keys among the columns, in config order, without the seed: those with a group before a dot."""
    return [column for column in runs.columns if "." in column]


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table, each by the names of its columns; numbers are Python's own."""
    return cast("list[dict[str, Any]]", table.to_dict("records"))
