"""Interactive views of all runs, as plotly figures in JSON: parallel coordinates, and a scatter of any two columns."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from rnn_mnist.analysis.plots.factor_axis import factor_axis
from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.levels import format_level, plain, short_name
from rnn_mnist.catalogues.metrics import METRICS, run_metrics
from rnn_mnist.runs.record import State

_FONT = {"family": "system-ui, sans-serif", "size": 13, "color": "#222"}


def parallel_coordinates(runs: pd.DataFrame, factors: Sequence[str]) -> str:
    """Completed runs as lines through their factors to their accuracies; axes can be brushed and moved."""
    finished = runs[runs["status"] == State.completed]
    dimensions = []
    for key in [*factors, "seed"]:
        axis = factor_axis(finished, key)
        dimensions.append(
            {
                "label": short_name(key, factors),
                "values": [axis.place(value) for value in finished[key]],
                "tickvals": list(range(len(axis.levels))),
                "ticktext": list(axis.labels),
            }
        )
    for column in ("val_accuracy", "test_accuracy"):
        if finished[column].notna().any():
            metric = METRICS[column]
            values = metric.shown(finished[column]).round(3).tolist()
            dimensions.append({"label": metric.axis_label, "values": values})
    line = {
        "color": METRICS["test_accuracy"].shown(finished["test_accuracy"]).tolist(),
        "colorscale": "Viridis",
        "reversescale": True,
        "showscale": True,
        "colorbar": {"title": {"text": METRICS["test_accuracy"].axis_label}},
    }
    figure = go.Figure(go.Parcoords(dimensions=dimensions, line=line, labelfont={"size": 13}))
    figure.update_layout(font=_FONT, margin={"l": 70, "r": 30, "t": 60, "b": 30}, height=420, template="plotly_white")
    return _as_json(figure)


def scatter(runs: pd.DataFrame, factors: Sequence[str]) -> str:
    """Completed runs as points, one marker a level of the first factor; both axes can be chosen."""
    finished = runs[runs["status"] == State.completed]
    columns = [column for column in run_metrics() if finished[column].notna().any()]
    numeric = [key for key in factors if factor_axis(finished, key).numeric]
    names = {column: METRICS[column].axis_label for column in columns} | {key: key for key in numeric}
    first = factors[0] if factors else None
    groups = [("all runs", finished)]
    if first is not None:
        axis = factor_axis(finished, first)
        groups = [
            (f"{short_name(first)}={label}", axis.rows(finished, level))
            for level, label in zip(axis.levels, axis.labels, strict=True)
        ]
    figure = go.Figure()
    symbols = ("circle", "square", "triangle-up", "diamond", "x", "cross", "star")
    for place, (name, rows) in enumerate(groups):
        hover = [_describe(row, factors) for row in rows_of(rows)]
        figure.add_scatter(
            x=_values(rows, "parameters"), y=_values(rows, "test_accuracy"), mode="markers", name=name, text=hover,
            hovertemplate="%{text}<br>%{x}, %{y}<extra></extra>",
            marker={"size": 9, "symbol": symbols[place % len(symbols)], "line": {"width": 1, "color": "white"}},
        )  # fmt: skip

    def choices(axis: str, start: str) -> dict[str, Any]:
        buttons = [
            {
                "label": label,
                "method": "update",
                "args": [{axis: [_values(rows, key) for _, rows in groups]}, {f"{axis}axis.title.text": label}],
            }
            for key, label in names.items()
        ]
        place = {"x": 0.0, "xanchor": "left"} if axis == "y" else {"x": 1.0, "xanchor": "right"}
        return {"buttons": buttons, "active": list(names).index(start), "y": 1.22, "yanchor": "top", **place}

    figure.update_layout(
        font=_FONT, template="plotly_white", height=460, margin={"l": 70, "r": 30, "t": 90, "b": 60},
        xaxis={"title": {"text": names["parameters"]}}, yaxis={"title": {"text": names["test_accuracy"]}},
        updatemenus=[choices("y", "test_accuracy"), choices("x", "parameters")], showlegend=len(groups) > 1,
        colorway=["#0072B2", "#E69F00", "#000000", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"],
    )  # fmt: skip
    return _as_json(figure)


def _values(rows: pd.DataFrame, column: str) -> list[float | None]:
    factor = METRICS[column].scale if column in METRICS else 1.0
    return [None if plain(value) is None else round(factor * value, 6) for value in rows[column]]


def _describe(row: dict[str, Any], factors: Sequence[str]) -> str:
    return "<br>".join(f"{short_name(key, factors)}={format_level(row[key])}" for key in [*factors, "seed"])


def _as_json(figure: go.Figure) -> str:
    content = json.loads(figure.to_json())
    # The default template is 7 kB of settings for kinds of traces that are not here.
    content["layout"].pop("template", None)
    content["layout"] |= {"plot_bgcolor": "white", "paper_bgcolor": "white"}
    for axis in ("xaxis", "yaxis"):
        if axis in content["layout"]:
            content["layout"][axis] |= {"gridcolor": "#e5e5e5", "zeroline": False, "automargin": True}
    # "</" would end the script that holds it.
    return json.dumps(content, default=np.ndarray.tolist).replace("</", "<\\/")
