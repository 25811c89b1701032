"""Contrasts that need no statistics: the two levels gave the same run, or the same predictions."""

import numpy as np
import pandas as pd

from rnn_mnist.analysis.statistics.inert import PredictionBytes, changes_of
from rnn_mnist.analysis.statistics.layout import Layout
from rnn_mnist.analysis.statistics.verdict import Reason


def certain_reason(
    runs: pd.DataFrame, layout: Layout, level: int, reference: int, predictions: PredictionBytes
) -> tuple[Reason, str] | None:
    """Why two levels of a layout of ``runs`` cannot differ, with its words; None if they can.

    Inert: wherever both were run, they are one run. Identical: wherever both were run, each predicts the same.
    """
    one, other = _shared_rows(layout, level, reference)
    if not len(one):
        return None
    directories = runs["directory"].to_numpy()
    if (directories[one] == directories[other]).all():
        reasons = dict.fromkeys(change.reason for change in changes_of(runs.iloc[[*one, *other]], layout.factor))
        return Reason.inert, "; ".join(reasons)
    accuracies = runs["test_accuracy"].to_numpy(float)
    # Those are at hand and rule nearly all out; only what they leave is read.
    if (accuracies[one] != accuracies[other]).any():
        return None
    same = all(predictions.same(directories[i], directories[j]) for i, j in zip(one, other, strict=True))
    return (Reason.identical, "") if same else None


def _shared_rows(layout: Layout, level: int, reference: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows of completed runs of the two levels, cell by cell and seed by seed."""
    both = ~np.isnan(layout.values[level]) & ~np.isnan(layout.values[reference])
    return layout.rows[level][both], layout.rows[reference][both]
