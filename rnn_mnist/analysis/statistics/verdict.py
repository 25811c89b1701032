"""What a comparison comes to, as a value, and the sentence that says it."""

import math
from collections.abc import Mapping
from enum import Enum
from typing import Any

from rnn_mnist.analysis.statistics.comparison import FEWEST_TO_SPEAK
from rnn_mnist.analysis.statistics.power import ALPHA
from rnn_mnist.catalogues.metrics import Metric


class Verdict(Enum):
    """The outcome of one comparison; the first two need no statistics."""

    inert = "no effect: inert"
    identical = "no effect: identical predictions"
    too_few = "too few seeds to say"
    higher = "higher"
    lower = "lower"
    not_resolved = "not resolved"


def find_verdict(row: Mapping[str, Any]) -> Verdict:
    """The verdict on a row of an effects table (its counts, ``difference`` and ``p_holm``)."""
    if min(row["n"], row["n_reference"]) < FEWEST_TO_SPEAK:
        return Verdict.too_few
    if row["p_holm"] < ALPHA:
        return Verdict.higher if row["difference"] > 0 else Verdict.lower
    return Verdict.not_resolved


def verdict_text(row: Mapping[str, Any], metric: Metric) -> str:
    """The verdict of a row of an effects table in words, with what it rests on."""
    verdict, words, runs = row["verdict"], row["verdict"].value, min(row["n"], row["n_reference"])
    if verdict is Verdict.too_few:
        return f"{words} ({runs})"
    if verdict is Verdict.inert and row["reason"]:
        return f"{words} ({row['reason']})"
    if verdict is not Verdict.not_resolved:
        return str(words)
    if math.isnan(row["p_holm"]):
        return f"{words}: equal in every run, though predictions differ"
    if row["p_value"] < ALPHA:
        return f"{words}: p = {row['p_value']:.2g} alone, {row['p_holm']:.2g} in its family"
    return f"{words}: less than {metric.size_text(row['minimum_detectable'])} would go unseen with {runs} seeds"
