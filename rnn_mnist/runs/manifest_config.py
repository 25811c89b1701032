"""From the manifest of a run to the configuration that made it, with a line for whatever does not fit."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rnn_mnist.configuration.identity import flatten, former_ids
from rnn_mnist.configuration.resolution import ConfigError, Resolved, resolve
from rnn_mnist.configuration.schema import SELECTED_BY, config_from_dict, declared, options
from rnn_mnist.runs.files import RunFormatError
from rnn_mnist.runs.foreign_code import named_code, refuse_code_beside


class AlteredManifestError(RunFormatError):
    """A manifest whose id is not that of its configuration."""


def configuration_of(directory: Path, manifest: Mapping[str, Any]) -> Resolved:
    """The configuration of a run, as it would be resolved if it were asked for today.

    Nothing of it is imported or run but code of the user's own that it names, and that only from outside of the sweep.

    Raises:
        RunFormatError: if it has a key or an option that this version does not know, or cannot be run.
        AlteredManifestError: if the id that the manifest says is not that of its configuration.
        ForeignCodeError: if it names code that lies among the runs.
    """
    path = directory / "manifest.json"
    unknown = next(_unknown(flatten(dict(manifest["config"]))), None)
    if unknown is not None:
        raise RunFormatError(f"{path}: {unknown}: not known to this version; a newer one, or a package, made the run")
    try:
        config = config_from_dict(manifest["config"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunFormatError(f"{path}: its configuration is none ({type(error).__name__}: {error})") from error
    for key, name in named_code(config):
        refuse_code_beside(key, name, directory)
    try:
        resolved = resolve(config)
    except ConfigError as error:
        raise RunFormatError(f"{path}: {error}") from error
    if manifest["run_id"] not in {resolved.run_id, *resolved.former_ids, *_former_ids(resolved, manifest)}:
        raise AlteredManifestError(
            f"{path}: altered: its run_id is {manifest['run_id']}, and that of its configuration {resolved.run_id}"
        )
    return resolved


def _former_ids(resolved: Resolved, manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """What earlier code called the run, by what was asked for, if that is how its configuration came about."""
    effective, requested = flatten(resolved.plain), manifest.get("requested") or {}
    decided = {change["key"] for change in manifest.get("changes") or ()} | {change.key for change in resolved.changes}
    if any(effective.get(key, value) != value for key, value in requested.items() if key not in decided):
        return ()
    return former_ids(effective, {**effective, **requested}, resolved.changes)


def _unknown(flat: Mapping[str, Any]) -> Iterator[str]:
    """What of a configuration nobody has declared here, as ``key=value``."""
    for key, value in flat.items():
        group = SELECTED_BY.get(key)
        if not _is_declared(key) or (group is not None and value not in options(group)):
            yield f"{key}={value}"


def _is_declared(key: str) -> bool:
    """Whether it is a key, or stands in a mapping that is one."""
    words = key.split(".")
    return any(declared(".".join(words[:count])) is not None for count in range(len(words), 0, -1))
