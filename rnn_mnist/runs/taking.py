"""A completed run that another sweep takes over instead of training it again."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra_plugins.workstation_launcher import write_json
from rnn_mnist.catalogues.keys import Role
from rnn_mnist.configuration.resolution import Resolved
from rnn_mnist.configuration.schema import keys_where
from rnn_mnist.runs.files import RunFormatError
from rnn_mnist.runs.provenance import Attempt
from rnn_mnist.runs.record import manifest_of
from rnn_mnist.runs.run import Run, now


def is_whole(directory: Path, identities: Sequence[str]) -> bool:
    """Whether a run of one of these ids has been trained and tested here and its files are whole.

    ``hydra.launcher.completed``.
    """
    try:
        return Run(directory, identities).completed(identities[0])
    except RunFormatError:
        return False


def tell_where_from(directory: Path, source: Path, resolved: Resolved, overrides: Sequence[str]) -> None:
    """Make the manifest of a run that was copied that of the run that now asks for it, and say where it is from.

    What was asked for is the new command's; how, when and by what code it was made stays, and so does a former id.

    Args:
        directory: of the copy.
        source: of the run that was copied; kept relative to where the command runs, if it lies below.
        resolved, overrides: of the run that is asked for.

    Raises:
        RunFormatError: if the manifest cannot be read.
    """
    before = Run(directory).manifest()
    content = dict(before)
    if before["run_id"] == resolved.run_id:
        content |= manifest_of(resolved, overrides, Attempt.from_manifest(before))
        content["config"] = _as_made(content["config"], before["config"])
    place = source.absolute()
    if place.is_relative_to(Path.cwd()):
        place = place.relative_to(Path.cwd())
    content |= {"overrides": list(overrides), "taken_from": {"directory": place.as_posix(), "when": now()}}
    write_json(directory / "manifest.json", content)


def _as_made(config: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with the circumstances in which the run was made: its device, its threads."""
    merged: dict[str, Any] = copy.deepcopy(dict(config))
    for key in keys_where(lambda each: each.declared.role == Role.circumstance):
        section, _, name = key.rpartition(".")
        if section and name in before.get(section, {}):
            merged[section][name] = before[section][name]
    return merged
