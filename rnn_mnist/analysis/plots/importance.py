"""How much of the variance of a metric each factor explains, interactions and seeds beside them."""

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from rnn_mnist.analysis.importance import importance
from rnn_mnist.analysis.plots import style
from rnn_mnist.analysis.plots.metrics import Metric, find_metric
from rnn_mnist.analysis.plots.source import Source, find_source

MOST_ROWS = 20


@dataclass(frozen=True)
class ImportanceRow:
    """A factor, an interaction of factors (``×`` in its name) or the residual; ``ranges`` are those searched."""

    term: str
    share: float
    ranges: str
    kind: str


@dataclass(frozen=True)
class ImportanceInfo:
    """What the figure shows, from the largest share down, the residual last."""

    metric: Metric
    rows: tuple[ImportanceRow, ...]
    method: str
    source: Source
