"""How much two factors interact, in words: differences of differences with their intervals."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from rnn_mnist.analysis.plots.differences import signed
from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.levels import format_level, short_name
from rnn_mnist.catalogues.metrics import Metric


@dataclass(frozen=True)
class ContrastOfContrasts:
    """By how much a factor's effect differs between two levels of the other one, with its interval.

    Attributes:
        text: the levels, in words.
        difference, low, high: in the table's unit.
        resolved: whether it is told from zero, by Holm's correction over the pairs of factors.
    """

    text: str
    difference: float
    low: float
    high: float
    resolved: bool


def contrasts_of(table: pd.DataFrame, pair: set[str]) -> Iterator[ContrastOfContrasts]:
    """The rows of two factors of a table of :func:`rnn_mnist.analysis.statistics.interactions.interactions`."""
    for row in rows_of(table):
        if {row["factor"], row["other"]} == pair and math.isfinite(row["low"]) and math.isfinite(row["high"]):
            names = {key: short_name(key, pair) for key in pair}
            levels = f"{names[row['factor']]} {format_level(row['level'])} against {format_level(row['reference'])}"
            others = f"{format_level(row['other_level'])} than at {format_level(row['other_reference'])}"
            text = f"{levels}, at {names[row['other']]} {others}"
            yield ContrastOfContrasts(text, row["difference"], row["low"], row["high"], bool(row["resolved"]))


def _said(contrast: ContrastOfContrasts, metric: Metric) -> str:
    low, high = signed(contrast.low, metric), signed(contrast.high, metric)
    size = f"{signed(contrast.difference, metric)} {metric.difference_unit}".rstrip()
    return f"{size} [{low}, {high}] ({contrast.text})"


def contrasts_text(contrasts: Sequence[ContrastOfContrasts], metric: Metric) -> str:
    """How much the factors interact, as far as that is known."""
    if not contrasts:
        return ""
    resolved = [contrast for contrast in contrasts if contrast.resolved]
    if len(contrasts) == 1:
        word = "resolved" if resolved else "not resolved"
        return f"Interaction, {word}: {_said(contrasts[0], metric)}."
    if not resolved:
        return f"Interaction: none of {len(contrasts)} differences of differences is resolved."
    shown = "; ".join(_said(contrast, metric) for contrast in resolved[:2]) + (" …" if len(resolved) > 2 else "")
    return f"Interaction: {len(resolved)} of {len(contrasts)} differences of differences resolved: {shown}."
