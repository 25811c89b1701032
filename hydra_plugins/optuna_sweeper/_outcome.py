"""What became of a run: its values, or why it has none."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus

from hydra_plugins.optuna_sweeper._options import Options, SearchError
from hydra_plugins.workstation_launcher import Pruned

Measure = Callable[[Path, str], float]


class End(StrEnum):
    """How a run came out."""

    value = "value"
    pruned = "pruned"
    failed = "failed"


@dataclass(frozen=True)
class Outcome:
    """How a run came out, and what of."""

    end: End
    values: tuple[float, ...] = ()
    """One for each objective."""
    reason: str = ""
    """Why there is none."""


def outcome_of(result: JobReturn, options: Options, measure: Measure | None) -> Outcome:
    """What became of a run.

    Raises:
        SearchError: if it has returned what cannot be searched for.
    """
    if result.status != JobStatus.COMPLETED:
        try:
            _ = result.return_value
        except Pruned as end:
            return Outcome(End.pruned, reason=str(end))
        except Exception as error:
            return Outcome(End.failed, reason=f"{type(error).__name__}: {' '.join(str(error).split())}")
        return Outcome(End.failed, reason="failed")
    returned = result.return_value
    if isinstance(returned, Pruned) or returned is Pruned:
        return Outcome(End.pruned)
    if measure is None:
        values = _numbers(returned, result, options)
    else:
        directory = Path(str(result.hydra_cfg.hydra.runtime.output_dir))  # type: ignore[union-attr]
        try:
            values = tuple(float(measure(directory, name)) for name in options.objectives)
        except Exception as error:  # whatever an application's own code raises where a run has no result
            return Outcome(End.failed, reason=" ".join(str(error).split()) or type(error).__name__)
    if not all(map(math.isfinite, values)):
        return Outcome(End.failed, reason=f"not finite: {', '.join(map(str, values))}")
    return Outcome(End.value, values)


def _numbers(returned: Any, result: JobReturn, options: Options) -> tuple[float, ...]:
    values = returned
    if isinstance(values, Mapping) and options.objectives:
        values = [values.get(name) for name in options.objectives]
    elif not isinstance(values, list | tuple):
        values = [values]
    if len(values) != len(options.direction) or any(isinstance(each, bool) or not _is_number(each) for each in values):
        expected = "a number" if len(options.direction) == 1 else f"{len(options.direction)} numbers"
        raise SearchError(
            f"{' '.join(result.overrides or ())}: returned {returned!r}, and hydra.sweeper.direction wants {expected}; "
            "hydra.sweeper.measure can read them from the directory of a run"
        )
    return tuple(float(each) for each in values)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, str)
