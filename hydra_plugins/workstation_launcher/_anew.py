"""What ``resume=false`` has run anew so far, over commands that were interrupted: known by attempts, not by times."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from hydra_plugins.workstation_launcher._schemas import FLAG, TEXT, mapping_of, optional, record

RUN_ANEW = record(
    {"code_version": optional(TEXT), "before": mapping_of(TEXT), "ended": FLAG},
    needed=("code_version", "before", "ended"),
)
"""As it stands in ``sweep.json``."""


@dataclass(frozen=True)
class RunAnew:
    """Jobs that a command runs although they may be completed.

    Attributes:
        code_version: of the command; other code runs all of them once more.
        before: fingerprint of each job to the attempt that it had before; a completed job with another one is done.
        ended: whether all have been run, so that the same command begins once more.
    """

    code_version: str | None
    before: Mapping[str, str]
    ended: bool = False

    @classmethod
    def begun(
        cls,
        known: Mapping[str, Any] | None,
        earlier: Mapping[str, str],
        code_version: str | None,
        *,
        goes_on: bool,
    ) -> Self:
        """That of a command, or of a batch of one.

        Args:
            known: what ``sweep.json`` has of an earlier one.
            earlier: fingerprint of each job to the attempt whose record lies there, empty for none.
            code_version: of this command.
            goes_on: whether this command has run an earlier batch.
        """
        taken_up = known is not None and (goes_on or _is_open(known, code_version))
        before: dict[str, str] = dict(known["before"]) if known is not None and taken_up else {}
        return cls(code_version, {**earlier, **before})


def was_run_anew(known: Mapping[str, Any] | None, fingerprint: str, attempt_id: str, code_version: str | None) -> bool:
    """Whether the attempt that completed a job was one of a command that ran jobs anew and was interrupted."""
    if known is None or not _is_open(known, code_version):
        return False
    before = known["before"].get(fingerprint)
    return before is not None and before != attempt_id


def _is_open(known: Mapping[str, Any], code_version: str | None) -> bool:
    return not known["ended"] and known["code_version"] == code_version
