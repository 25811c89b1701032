"""What makes two runs the same run, and what their directories are called. Imports neither torch nor Hydra."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rnn_mnist.config import Config

ID_LENGTH = 12
RUN_NAME_BYTES = 120
SWEEP_NAME_BYTES = 100

# The keys that say how a command is run rather than what; a directory's name leaves them out.
_NOT_IN_NAMES = (
    "data.root",
    "training.device",
    "training.threads",
    "training.evaluation_batch_size",
    "sweep",
    "resume",
)

# Keys that change where, how fast or with what display a run is made, and not what its result means.
NOT_IDENTITY = (
    "model.parameter_budget",  # resolved into model.hidden_size
    "question",
    *_NOT_IN_NAMES,
)


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested mapping as one with dotted names, in the same order."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def config_as_dict(config: Config) -> dict[str, Any]:
    """The configuration as nested plain values (enumerations by name), ready for JSON."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(config)))
    return plain


def run_id(config: Config) -> str:
    """The first 12 hex digits of SHA-256 over the canonical JSON of an *effective* configuration.

    The configuration is the one that :func:`rnn_mnist.checks.check` returns, whole (no default is left out), less
    :data:`NOT_IDENTITY`.
    """
    return _digest(config, NOT_IDENTITY)


def setting_id(config: Config) -> str:
    """The run's id without the seed: equal for all replicates of a setting."""
    return _digest(config, (*NOT_IDENTITY, "seed"))


def _digest(config: Config, leave_out: Iterable[str]) -> str:
    flat = flatten(config_as_dict(config))
    for key in leave_out:
        del flat[key]
    canonical = json.dumps(flat, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:ID_LENGTH]


def run_name(identifier: str, overrides: Iterable[str], parent: Path | None = None) -> str:
    """The directory name of a run: readable overrides, then its id; at most 120 bytes, safe on every file system.

    A directory of that run that is already in ``parent`` keeps its name, however the run is spelled this time.
    """
    if parent is not None and parent.is_dir():
        for existing in sorted(parent.glob(f"*__{identifier}")):
            return existing.name
    return f"{_readable(_telling(overrides), RUN_NAME_BYTES - len(identifier) - 2)}__{identifier}"


def sweep_name(name: str | None, overrides: Iterable[str]) -> str:
    """The directory name of a sweep: the one it was given, else its overrides; at most 100 bytes."""
    if name is not None:
        return name
    overrides = _telling(overrides)
    whole = _safe("_".join(overrides)) or "defaults"
    if len(whole) <= SWEEP_NAME_BYTES:
        return whole
    digest = hashlib.sha256("\n".join(overrides).encode()).hexdigest()[:ID_LENGTH]
    return f"{_readable(overrides, SWEEP_NAME_BYTES - ID_LENGTH - 2)}__{digest}"


def _telling(overrides: Iterable[str]) -> list[str]:
    return [override for override in overrides if override.lstrip("+~").partition("=")[0] not in _NOT_IN_NAMES]


def _readable(overrides: list[str], longest: int) -> str:
    """The overrides as one safe text: whole if that fits, else with the last part of each key, else its two ends."""
    text = _safe("_".join(overrides)) or "defaults"
    if len(text) > longest:
        text = _safe("_".join(re.sub(r"^[^=]*\.", "", override) for override in overrides)) or "defaults"
    if len(text) > longest:
        half = (longest - 2) // 2
        text = f"{text[:half]}..{text[-half:]}"
    return text.strip("_.,")


def _safe(text: str) -> str:
    """``text`` in ASCII letters, digits and ``._=,+-`` alone, so that characters are bytes."""
    return re.sub(r"[^A-Za-z0-9._=,+-]+", "_", text).strip("_.,")
