"""Tables of effects with chosen answers, in the columns of ``rnn_mnist.analysis.statistics.effects``."""

import math
from typing import Any

import pandas as pd

from rnn_mnist.analysis.statistics.effects import COLUMNS
from rnn_mnist.analysis.statistics.verdict import Reason, Verdict

_ROW: dict[str, Any] = {
    **dict.fromkeys(COLUMNS, math.nan),
    **dict.fromkeys(("contexts", "contexts_planned"), 1),
    **dict.fromkeys(("seeds", "seeds_reference", "runs", "runs_reference"), 5),
    **dict.fromkeys(("failed", "failed_reference", "missing", "missing_reference"), 0),
    **dict.fromkeys(("at", "confounded", "differs"), ()),
    **dict.fromkeys(("depends_on", "detail"), ""),
    "reason": None,
}


def row(
    factor: str,
    level: Any,
    reference: Any,
    verdict: Verdict,
    difference: float = math.nan,
    half_width: float = math.nan,
    **others: Any,
) -> dict[str, Any]:
    """One contrast; ``half_width`` is that of its interval, and ``others`` are columns as they are."""
    ends = {"low": difference - half_width, "high": difference + half_width}
    contrast = {"factor": factor, "level": level, "reference": reference, "verdict": verdict, "difference": difference}
    return {**_ROW, **contrast, **ends, **others}


def incomparable(factor: str, level: Any, reference: Any, reason: Reason, **others: Any) -> dict[str, Any]:
    """One contrast without an answer."""
    return row(factor, level, reference, Verdict.not_comparable, reason=reason, **others)


def table_of(*rows: dict[str, Any], metric: str = "test_accuracy", margin: float | None = 0.001) -> pd.DataFrame:
    """The table of these contrasts."""
    objects = ("level", "reference", "at", "verdict", "reason", "confounded", "differs")
    table = pd.DataFrame(
        {name: pd.Series([each[name] for each in rows], dtype=object if name in objects else None) for name in COLUMNS}
    )
    table.attrs = {"metric": metric, "confidence": 0.95, "margin": margin, "anytime": False, "runs": 0}
    return table
