"""Named studies, ``experiment=<name>``: files of this package, of ``--config-dir`` and of the folder ``studies``.

Hydra reads a study from ``experiment/<name>.yaml`` in a folder of its search path, so that those of ``--config-dir``
are its own business. Those of ``studies``, in the working directory, lie in no folder ``experiment``: they are put into
Hydra's ``ConfigStore``, which is public, the same in all versions, and needs no plugin.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import yaml
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from rnn_mnist.configuration.identity import flatten
from rnn_mnist.configuration.resolution import ConfigError
from rnn_mnist.configuration.schema import declared_keys

GROUP = "experiment"
OWN = Path("studies")

_HEADER = "# @package _global_"
# As Hydra reads it: the lines "# @..." that a file begins with.
_HAS_HEADER = re.compile(r"\A(\s*#\s*@.*\n)*?\s*#\s*@package +_global_\s*$", re.MULTILINE)
_HYDRAS_SECTIONS = {"hydra", "hydra.sweeper", "hydra.sweeper.params"}


def study_names(folders: Sequence[Path]) -> list[str]:
    """The studies that can be chosen; files that begin with ``_`` are only there for others to be built from."""
    return sorted({path.stem for folder in folders for path in folder.glob("*.yaml") if not path.name.startswith("_")})


def questions(folders: Sequence[Path]) -> dict[str, str]:
    """What each study asks, by its name; empty of one that does not say, or cannot be read."""
    asked = {}
    for name in study_names(folders):
        path = next(path for folder in folders if (path := folder / f"{name}.yaml").is_file())
        try:
            asked[name] = str(_content(path).get("question", ""))
        except (ConfigError, yaml.YAMLError, OSError):
            asked[name] = ""
    return asked


def store_own_studies() -> None:
    """Make the files of ``studies`` options of ``experiment``, in place of those that this process knew of before."""
    store = ConfigStore.instance()
    store.repo.pop(GROUP, None)
    for path in sorted(OWN.glob("*.yaml")):
        try:
            content = _content(path)
        except (ConfigError, yaml.YAMLError, OSError):
            content = {}  # listed all the same; check_study refuses it where it is chosen
        store.store(group=GROUP, name=path.stem, node=content, package="_global_", provider=str(OWN))


def check_study(name: str, folders: Sequence[Path]) -> None:
    """Refuse a study that Hydra cannot read, or reads as something else; one that is not there is left to Hydra.

    Args:
        name: of the study.
        folders: of studies, in the order in which Hydra searches them.

    Raises:
        ConfigError: with the file, and the line where there is one.
        yaml.YAMLError: if it is no YAML.
    """
    _check_study(name, folders, set())


def _check_study(name: str, folders: Sequence[Path], seen: set[str]) -> None:
    if name in seen:
        return
    seen.add(name)
    found = list({path.resolve(): path for folder in folders if (path := folder / f"{name}.yaml").is_file()}.values())
    if len(found) > 1:
        raise ConfigError(f"{found[1]}: has the name of another study, {found[0]}, which Hydra takes; rename it")
    for path in found:
        content = _content(path)
        if not _HAS_HEADER.match(path.read_text(encoding="utf-8")):
            raise ConfigError(f"{path}: its first line must be '{_HEADER}', so that its keys are those of a run")
        for base in _bases(content):
            _check_study(base, folders, seen)


def keys_of_study(name: str, folders: Sequence[Path]) -> tuple[str, ...]:
    """The dotted keys that a study, and what it is built from, sets; of Hydra's own none."""
    for folder in folders:
        path = folder / f"{name}.yaml"
        if path.is_file():
            bases, keys = _bases_and_keys(path, path.stat().st_mtime_ns)
            return (*(key for base in bases for key in keys_of_study(base, folders)), *keys)
    return ()


@lru_cache(maxsize=64)
def _bases_and_keys(path: Path, modified: int) -> tuple[tuple[str, ...], tuple[str, ...]]:  # noqa: ARG001
    """Cached until the file is ``modified``: each job of a sweep asks."""
    content = _content(path)
    return tuple(_bases(content)), tuple(flatten({k: v for k, v in content.items() if k not in ("defaults", "hydra")}))


def _bases(content: dict[str, Any]) -> list[str]:
    """The studies that a study names in its defaults list."""
    entries = [entry for entry in content.get("defaults", []) if isinstance(entry, str) and entry != "_self_"]
    return [entry.partition("@")[0].removeprefix(f"/{GROUP}/") for entry in entries]


def _content(path: Path) -> dict[str, Any]:
    """What a study says, its sections being mappings."""
    try:
        with path.open(encoding="utf-8") as file:  # whose name YAML's errors give
            tree = yaml.compose(file, yaml.SafeLoader)
            if tree is not None:
                _check_sections(path, tree)
            file.seek(0)
            content: Any = OmegaConf.to_container(OmegaConf.load(file))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8: {error.reason} at byte {error.start}") from error
    return dict(content)


def _check_sections(path: Path, node: yaml.Node, key: str = "") -> None:
    place = f"{path}: line {node.start_mark.line + 1}: "
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"{place}{key or 'a study'}: must be a mapping, with its keys indented below it")
    for inner, value in node.value:
        full_key = f"{key}.{inner.value}".lstrip(".")
        if full_key in _sections():
            _check_sections(path, value, full_key)
        elif full_key == "defaults" and not isinstance(value, yaml.SequenceNode):
            raise ConfigError(f"{path}: line {inner.start_mark.line + 1}: defaults: must be a list")


@lru_cache(maxsize=1)
def _sections() -> frozenset[str]:
    """The dotted names that hold keys instead of a value."""
    dotted = (key.rpartition(".")[0].split(".") for key in declared_keys() if "." in key)
    return frozenset(_HYDRAS_SECTIONS).union(
        *(accumulate(parts, lambda above, part: f"{above}.{part}") for parts in dotted)
    )
