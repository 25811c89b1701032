"""What the directory of a job is called: readable override text, then the job's identity, and never a number."""

import hashlib
import re
from collections.abc import Collection, Iterable

LONGEST_NAME_BYTES = 120


def directory_name(
    identifier: str, overrides: Iterable[str], *, leave_out: Collection[str] = (), longest: int = LONGEST_NAME_BYTES
) -> str:
    """A directory name for a job: its overrides, two underscores, its identifier.

    Args:
        identifier: safe characters, unique to the job.
        overrides: as typed, ``key=value``.
        leave_out: keys that are not worth showing.
        longest: the most bytes that the name may have, at least ``len(identifier) + 10``.

    Returns:
        ASCII letters, digits and ``._=,+-`` alone, whatever the overrides hold.
    """
    return f"{readable(without(overrides, leave_out), longest - len(identifier) - 2)}__{identifier}"


def without(overrides: Iterable[str], keys: Collection[str]) -> list[str]:
    """The overrides of all but some keys."""
    return [override for override in overrides if override_key(override) not in keys]


def override_key(override: str) -> str:
    """The key that an override sets, adds or removes: ``model.bias`` of ``+model.bias=true``."""
    return override.lstrip("+~").partition("=")[0]


def readable(overrides: Iterable[str], longest: int) -> str:
    """The overrides as one safe text: whole if that fits, else with the last part of each key, else its two ends."""
    overrides = list(overrides)
    text = _safe("_".join(overrides))
    if len(text) > longest:
        text = _safe("_".join(re.sub(r"^[^=]*\.", "", override) for override in overrides))
    if len(text) > longest:
        half = (longest - 2) // 2
        text = f"{text[:half]}..{text[-half:]}"
    return text.strip("_.,") or "defaults"


def safe_identifier(identity: str) -> str:
    """The identity itself if it can be part of a file name, else the first 12 hex digits of its SHA-256."""
    if re.fullmatch(r"[A-Za-z0-9.=,+-][A-Za-z0-9._=,+-]{0,39}", identity):
        return identity
    return hashlib.sha256(identity.encode()).hexdigest()[:12]


def _safe(text: str) -> str:
    # One character of this text is one byte.
    return re.sub(r"[^A-Za-z0-9._=,+-]+", "_", text).strip("_.,")
