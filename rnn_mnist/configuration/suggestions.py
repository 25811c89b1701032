"""Which key somebody means who writes one that is not there: ``hidden_size``, ``--num-layers``, ``learning_rate``."""

import difflib
from collections.abc import Mapping, Sequence

from hydra_plugins.workstation_launcher import option_called
from rnn_mnist.configuration.schema import SELECTED_BY, SELECTORS, declared_keys, options

# What papers and other programs call it; names that are merely misspelled need no line here.
_ALSO_CALLED = {
    "learning_rate": "lr",
    "hidden": "hidden_size",
    "hidden_dim": "hidden_size",
    "units": "hidden_size",
    "layers": "num_layers",
    "n_layers": "num_layers",
    "depth": "num_layers",
    "num_epochs": "epochs",
    "n_epochs": "epochs",
    "max_epochs": "epochs",
    "bs": "batch_size",
    "clip": "gradient_clip_norm",
    "grad_clip": "gradient_clip_norm",
    "patience": "early_stopping_patience",
    "random_seed": "seed",
    "dataset": "data",
    "architecture": "model",
    "scheduler": "schedule",
    "study": "experiment",
}
_GROUPS = (*SELECTORS, "experiment")


def meant_overrides(name: str, value: str | None = None) -> list[str]:
    """The overrides that may be meant by ``name=value``, whose key is not there; empty if that cannot be guessed.

    Args:
        name: a key as it was typed, dashes in front of it included, with or without a group before its last dot.
        value: what it was to be set to; None if nothing was said, and then only keys are returned.
    """
    name = name.lstrip("-+~").replace("-", "_")
    keys = declared_keys()
    if name in _GROUPS or (name in keys and name not in SELECTED_BY):
        return [_override(name, value)]
    leaf = name.rpartition(".")[2]
    found = _owners(_ALSO_CALLED.get(leaf, leaf), value)
    if not found and (option := option_called(leaf)):
        return [_override(f"hydra.launcher.{option}", value)]
    if not found:
        leaves = dict.fromkeys((*(key.rpartition(".")[2] for key in keys), *_GROUPS))
        for close in difflib.get_close_matches(leaf, leaves, n=1, cutoff=0.75):
            found = _owners(close, value)
    return found


def meant_choices(word: str, choices: Mapping[str, Sequence[str]]) -> list[str]:
    """The choices that may be meant by a bare word: ``model=gru`` by ``gru``. ``choices`` are options by group."""
    return [f"{group}={word}" for group, names in choices.items() if word in names]


def did_you_mean(overrides: Sequence[str]) -> str:
    """The question; empty where there is nothing to ask."""
    return f"did you mean {' or '.join(overrides)}?" if overrides else ""


def _owners(leaf: str, value: str | None) -> list[str]:
    """The keys of that name in any group; one that names the chosen option is set by its group."""
    if leaf in _GROUPS:
        return [_override(leaf, value)]
    found = []
    for key in declared_keys():
        if key.rpartition(".")[2] != leaf:
            continue
        group = SELECTED_BY.get(key)
        if group is None:
            found.append(_override(key, value))
        elif value in (None, "...") or all(each in options(group) for each in str(value).split(",")):
            found.append(_override(group, value))
    return found


def _override(key: str, value: str | None) -> str:
    return key if value is None else f"{key}={value}"
