"""What else differs between two levels: keys that change with the factor, and circumstances of the runs."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from rnn_mnist.analysis.reading.factors import swept_keys
from rnn_mnist.analysis.reading.levels import plain
from rnn_mnist.analysis.statistics.layout import Layout
from rnn_mnist.configuration.schema import SELECTED_BY

_CIRCUMSTANCES = {"source": "code", "device": "device", "threads": "threads"}


def confounded_keys(
    runs: pd.DataFrame,
    layout: Layout,
    level: int,
    reference: int,
    contexts: np.ndarray,
    aliases: Mapping[str, Sequence[str]],
) -> tuple[str, ...]:
    """The keys that differ between the compared runs of two levels without being part of what the factor is.

    What a parameter budget makes of the hidden size, what an optimizer brings as its default, and what one of the two
    does not have at all is part of the factor. A value that somebody gave is not.

    Args:
        runs: the table that was laid out.
        layout: of the factor.
        level, reference: positions in ``layout.levels``.
        contexts: those that are compared ``[context]``.
        aliases: the keys that vary along with factors (:func:`rnn_mnist.analysis.reading.factors.find_aliases`).
    """
    rows, others = (layout.rows[place][contexts] for place in (level, reference))
    both = (rows >= 0) & (others >= 0)
    pairs = list(zip(rows[both], others[both], strict=True))
    found = []
    for key in aliases:
        values = [plain(value) for value in runs[key]]
        if any(values[i] != values[j] and not _explained(runs, key, layout.factor, (i, j)) for i, j in pairs):
            found.append(key)
    return tuple(found)


def separating_keys(layout: Layout, level: int, reference: int) -> tuple[str, ...]:
    """The other factors that never have one value at both levels, so that the two share no context."""
    contexts = [[dict(layout.contexts[i]) for i in np.flatnonzero(layout.tried[place])] for place in (level, reference)]
    keys = contexts[0][0] if contexts[0] else {}
    return tuple(key for key in keys if not {of[key] for of in contexts[0]} & {of[key] for of in contexts[1]})


def differing_circumstances(
    runs: pd.DataFrame, layout: Layout, level: int, reference: int, contexts: np.ndarray
) -> tuple[str, ...]:
    """In which of code, device and threads the compared runs are not all alike."""
    rows = layout.rows[[level, reference]][:, contexts]
    compared = runs.iloc[rows[rows >= 0]]
    return tuple(word for column, word in _CIRCUMSTANCES.items() if compared[column].dropna().nunique() > 1)


def _explained(runs: pd.DataFrame, key: str, factor: str, rows: tuple[int, int]) -> bool:
    if any(plain(runs[key].iloc[row]) is None for row in rows):
        return True
    if any(change.key == key for row in rows for change in runs["changes"].iloc[row]):
        return True
    asked_for = key in swept_keys(runs.iloc[list(rows)])
    return SELECTED_BY.get(factor) == key.partition(".")[0] and not asked_for
