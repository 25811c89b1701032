"""What makes two jobs the same job: the fingerprint of the configuration, never a number."""

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

from hydra.utils import get_method
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hydra_plugins.workstation_launcher._hydra_internals import interpolation

FINGERPRINT_LENGTH = 12

# Where and when a job runs is not what it is; a number that its own configuration has from there is.
_VOLATILE = re.compile(r"\$\{(hydra[.:](?!job\.(num|id)\})|now:)")
_NUMBERED = re.compile(r"\$\{hydra[.:]job\.(num|id)\}")


def job_identities(config: DictConfig, function: str | None, leave_out: Iterable[str]) -> tuple[str, ...]:
    """What a job is known by here: :func:`application_identities`, and the environment that Hydra will set for it.

    Two jobs that differ in ``hydra.job.env_set`` alone may compute different things.
    """
    return with_environment(application_identities(config, function, leave_out), config)


def with_environment(found: tuple[str, ...], config: DictConfig) -> tuple[str, ...]:
    """Identities of a job, told from those of one for which Hydra sets other variables."""
    try:
        environment = OmegaConf.to_container(config.hydra.job.env_set, resolve=True)
    except OmegaConfBaseException:  # the job itself will say what is wrong
        environment = OmegaConf.to_container(config.hydra.job.env_set)
    if not environment:
        return found
    canonical = json.dumps(environment, sort_keys=True, default=str)
    digest = hashlib.sha256(canonical.encode()).hexdigest()[:FINGERPRINT_LENGTH]
    return tuple(f"{each}-{digest}" for each in found)


def application_identities(config: DictConfig, function: str | None, leave_out: Iterable[str]) -> tuple[str, ...]:
    """The identity of a composed job, and those that it had earlier: what the app says, else :func:`fingerprint`.

    Args:
        config: the job's configuration, with its ``hydra`` node.
        function: dotted path of a function from such a configuration to a text, or a list of them; see
            ``hydra.launcher.identity``.
        leave_out: see :func:`fingerprint`.
    """
    if function is None:
        return (fingerprint(config, leave_out),)
    return as_identities(get_method(function)(config))


def as_identities(found: Any) -> tuple[str, ...]:
    """An identity, or a list that begins with it, as a tuple."""
    return tuple(map(str, found)) if isinstance(found, list | tuple | ListConfig) else (str(found),)


def fingerprint(config: DictConfig, leave_out: Iterable[str]) -> str:
    """The first 12 hex digits of SHA-256 over the canonical JSON of the resolved configuration.

    The ``hydra`` node is not part of it; interpolations of Hydra's runtime and of the time count as they are written.

    Args:
        config: the job's configuration.
        leave_out: dotted keys of values or sections that cannot change the job's result.
    """
    content = {str(key): _plain(config, key) for key in config if key != "hydra"}
    for key in leave_out:
        _remove(content, key.split("."))
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:FINGERPRINT_LENGTH]


def numbered_keys(config: DictConfig | ListConfig, prefix: str = "") -> list[str]:
    """The keys of the application whose values come from the job's number, such as ``seed: ${hydra:job.num}``."""
    found: list[str] = []
    keys: Iterable[Any] = config if isinstance(config, DictConfig) else range(len(config))
    for key in keys:
        if not prefix and key == "hydra":
            continue
        written = None if OmegaConf.is_missing(config, key) else interpolation(config, key)
        if written is not None:
            if _NUMBERED.search(written):
                found.append(f"{prefix}{key}")
        elif not OmegaConf.is_missing(config, key) and isinstance(config[key], DictConfig | ListConfig):
            found += numbered_keys(config[key], f"{prefix}{key}.")
    return found


def _plain(parent: DictConfig | ListConfig, key: Any) -> Any:
    if OmegaConf.is_missing(parent, key):
        return "???"
    written = interpolation(parent, key)
    if written is None:
        return _container(parent[key])
    if _VOLATILE.search(written):
        return written
    try:
        return _container(parent[key])
    except OmegaConfBaseException:
        return written


def _container(value: Any) -> Any:
    if isinstance(value, DictConfig):
        return {str(key): _plain(value, key) for key in value}
    if isinstance(value, ListConfig):
        return [_plain(value, index) for index in range(len(value))]
    return OmegaConf.to_container(OmegaConf.create([value]), enum_to_str=True)[0]  # type: ignore[index]


def _remove(tree: Any, path: list[str]) -> None:
    for part in path[:-1]:
        tree = tree.get(part) if isinstance(tree, dict) else None
    if isinstance(tree, dict):
        tree.pop(path[-1], None)
