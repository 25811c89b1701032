"""All runs as data for the page's script: a scatter whose axes are chosen, and a table that is filtered and sorted."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.levels import format_level, order_levels, plain, short_name, typed
from rnn_mnist.analysis.reading.outcomes import diverged_runs
from rnn_mnist.catalogues.metrics import METRICS, run_metrics
from rnn_mnist.configuration.schema import declared

_FIRST_METRICS = ("test_accuracy", "val_accuracy")


def run_data(runs: pd.DataFrame, factors: Sequence[str]) -> str:
    """Every run, completed or not, as JSON that may stand in a ``script`` element.

    ``columns`` has for each column its ``label``; for a factor its ``levels`` (what each is called), their ``values``
    if all are numbers, and whether they belong on a logarithmic axis (``log``); for a metric its ``decimals`` and
    ``log``. ``rows`` has, in the order of the columns, places among the levels, numbers as they are shown (null where
    there is none) and texts.
    """
    state = runs["status"].map(str).where(~diverged_runs(runs), "diverged")
    runs = runs.assign(status=state)
    columns = [_factor(runs, key, short_name(key, factors)) for key in (*factors, "seed", "status")]
    present = [key for key in run_metrics() if runs[key].notna().any()]
    metrics = sorted(present, key=lambda key: _FIRST_METRICS.index(key) if key in _FIRST_METRICS else len(present))
    columns += [_metric(key) for key in metrics]
    values = [[_entry(row[column["key"]], column) for column in columns] + [row["run"]] for row in rows_of(runs)]
    shown = [{name: value for name, value in column.items() if name != "places"} for column in columns]
    content = json.dumps({"columns": [*shown, {"label": "run"}], "rows": values}, separators=(",", ":"))
    # "</script>" and "<!--" would end the element that holds it, or open another.
    return content.replace("<", "\\u003c")


def _factor(runs: pd.DataFrame, key: str, label: str) -> dict[str, Any]:
    levels = order_levels(key, runs[key])
    about = declared(key)
    column: dict[str, Any] = {
        "key": key,
        "label": "state" if key == "status" else label,
        "levels": [format_level(level) for level in levels],
        "places": {typed(level): place for place, level in enumerate(levels)},
    }
    if all(isinstance(level, int | float) and not isinstance(level, bool) for level in levels):
        column["values"] = levels
        column["log"] = about is not None and about.declared.scale == "log" and min(levels) > 0
    return column


def _metric(key: str) -> dict[str, Any]:
    metric = METRICS[key]
    return {"key": key, "label": metric.axis_label, "decimals": metric.decimals, "log": metric.logarithmic}


def _entry(value: Any, column: Mapping[str, Any]) -> int | float | None:
    if "places" in column:
        place: int = column["places"][typed(plain(value))]
        return place
    value = plain(value)
    return None if value is None else round(float(METRICS[column["key"]].shown(value)), 6)
