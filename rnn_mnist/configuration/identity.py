"""What makes two runs the same run, and what their directories are called. Imports neither torch nor Hydra itself."""

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from hydra_plugins.workstation_launcher import directory_name, readable, without
from rnn_mnist.catalogues.keys import Role
from rnn_mnist.configuration.change import Change
from rnn_mnist.configuration.schema import Config, declared, keys_where

ID_LENGTH = 12

# The keys that did not count as something else when the first sweeps were made, however little they did.
_ONCE_AS_ASKED = {
    "data.train_fraction",
    "data.split_seed",
    "sequence.length_seed",
    "training.early_stopping_patience",
    "schedule.name",
}
# Filled in without a word.
_DIGESTS = ("model.source", "data.source")
SWEEP_NAME_BYTES = 100

# What Hydra's grammar reads as a number, a truth value or nothing.
_NOT_TEXT = re.compile(r"[+-]?(null|true|false|inf|nan|[\d._e+-]+)", re.IGNORECASE)


@lru_cache(maxsize=1)
def not_in_names() -> tuple[str, ...]:
    """The keys that say how a command is run rather than what; a directory's name leaves them out."""
    return keys_where(lambda key: not key.declared.in_names)


@lru_cache(maxsize=1)
def not_identity() -> tuple[str, ...]:
    """The keys that change where, how fast or with what display a run is made, and those that decide others."""
    return keys_where(lambda key: key.declared.role != Role.identity)


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

    The configuration is the one that :func:`rnn_mnist.configuration.resolution.resolve` returns, whole (no default is
    left out), less :func:`not_identity`.
    """
    return run_id_of(flatten(config_as_dict(config)))


def setting_id(config: Config) -> str:
    """The run's id without the seed: equal for all replicates of a setting."""
    return setting_id_of(flatten(config_as_dict(config)))


def run_id_of(flat: Mapping[str, Any]) -> str:
    """As :func:`run_id`, of a configuration that is flat already."""
    return _digest(flat, not_identity())


def setting_id_of(flat: Mapping[str, Any]) -> str:
    """As :func:`setting_id`, of a configuration that is flat already."""
    return _digest(flat, (*not_identity(), "seed"))


def former_ids(
    effective: Mapping[str, Any], requested: Mapping[str, Any], changes: Iterable[Change]
) -> tuple[str, ...]:
    """The ids that earlier code gave to a run as it is asked for; most runs have none.

    Runs that come out the same had an id each: by a ``data.split_seed`` where nothing is split, for example. A run on
    disk under such an id is this run.

    Args:
        effective, requested: flat configurations.
        changes: what makes the one of the other.
    """
    former = dict(requested)
    for change in changes:
        # Unless they are equal: -0.0, whose sign was kept.
        if change.key not in _ONCE_AS_ASKED and former[change.key] != effective[change.key]:
            former[change.key] = effective[change.key]
    former |= {key: effective[key] for key in _DIGESTS if key in effective}
    identifier = run_id_of(former)
    return () if identifier == run_id_of(effective) else (identifier,)


@lru_cache(maxsize=1)
def _later_defaults() -> dict[str, Any]:
    """Of the keys that came when runs had ids already."""
    names = keys_where(lambda key: key.declared.later)
    return {name: each.default for name in names if (each := declared(name)) is not None}


def _digest(flat: Mapping[str, Any], leave_out: Iterable[str]) -> str:
    hidden, later = set(leave_out), _later_defaults()
    left = {
        key: value for key, value in flat.items() if key not in hidden and not (key in later and value == later[key])
    }
    canonical = json.dumps(left, sort_keys=True, separators=(",", ":"))
    return _digest_text(canonical)


def sweep_name(name: str | None, overrides: Iterable[str]) -> str:
    """The directory name of a sweep: the one it was given, else its overrides; at most 100 bytes.

    One that is made of overrides is a word that neither a shell nor Hydra's grammar splits or quotes, so that
    ``sweep=<name>`` is that sweep: ``model.num_layers-1+2+3`` for ``model.num_layers=1,2,3``.
    """
    if name is not None:
        return name
    telling = without(overrides, not_in_names())
    text = readable(telling, SWEEP_NAME_BYTES)
    if text != readable(telling, sys.maxsize) or _NOT_TEXT.fullmatch(_as_word(text)):
        text = directory_name(_digest_text("\n".join(telling)), telling, longest=SWEEP_NAME_BYTES)
    return _as_word(text)


def _as_word(text: str) -> str:
    # A word that begins with a dash or a dot would be an option, or hidden.
    return text.translate(str.maketrans("=,", "-+")).strip("+-._") or "defaults"


def _digest_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]
