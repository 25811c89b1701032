"""From Hydra to a typed :class:`~rnn_mnist.configuration.schema.Config`.

Only entry points use this module; nothing else sees a ``DictConfig``. What Hydra raises on the way becomes one line in
:mod:`rnn_mnist.configuration.mistakes`.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep
from hydra.core.utils import JobRuntime
from hydra.errors import HydraException
from hydra.types import RunMode
from hydra.version import VersionBase
from omegaconf import DictConfig, ListConfig, OmegaConf

from rnn_mnist.configuration import schema
from rnn_mnist.configuration.hydra_versions import VERSION_BASE, register_resolver
from rnn_mnist.configuration.identity import flatten, not_in_names, sweep_name
from rnn_mnist.configuration.reference import as_text
from rnn_mnist.configuration.resolution import ConfigError, Resolved, check_sweep_name, resolve

_PACKAGE = Path(__file__).parent.parent
CONFIG_DIR = next(path for path in (_PACKAGE / "conf", _PACKAGE.parent / "conf") if path.is_dir())
"""``conf/``: inside the package in a wheel, beside it in a checkout."""

_SCHEMA_GROUP = "schema"


def register(identify: Callable[[DictConfig], str]) -> None:
    """Make the schema and the resolvers of ``conf/config.yaml`` known to Hydra, for the rest of this process.

    ``identify`` gives the run's id of a composed configuration, for the name of its directory. It may refuse the
    configuration with :class:`~rnn_mnist.configuration.resolution.ConfigError`: nothing has been written by then.
    """
    _store_schemas()

    def resolve_run_id(*, _root_: DictConfig) -> str:
        return identify(_root_)

    register_resolver("run_id", resolve_run_id, replace=True)
    _register_resolvers()


def _register_resolvers() -> None:
    def resolve_sweep_name(name: str | None, overrides: ListConfig) -> str:
        if name is not None:
            check_sweep_name(name)
        return sweep_name(name, overrides)

    # Cached, so that each job of a sweep sees the name that the sweep got from the whole command.
    register_resolver("sweep_name", resolve_sweep_name, use_cache=True, replace=True)
    register_resolver("not_in_names", lambda: list(not_in_names()), replace=True)
    # Hydra's help is a string.Template.
    register_resolver("keys", lambda: as_text().replace("$", "$$"), replace=True)
    register_resolver("groups_and_options", _groups_and_options, replace=True)


def _store_schemas() -> None:
    store = ConfigStore.instance()
    store.repo |= {group: {} for group in (_SCHEMA_GROUP, *schema.SELECTORS)}
    store.store(group=_SCHEMA_GROUP, name="config", node=schema.Config)
    for group in schema.SELECTORS:
        for name in schema.options(group):
            store.store(group=group, name=name, node=schema.chosen(group, name))


def compose_checked(overrides: list[str]) -> Resolved:
    """Compose ``conf/config.yaml`` with command-line overrides, without starting a run.

    Whatever Hydra is in use for in this process, a notebook or another application, goes on as it was.

    Raises:
        ConfigError: if the configuration cannot be run.
        HydraException: if it cannot be composed; :func:`~rnn_mnist.configuration.mistakes.explain_error` says why.
    """
    check_overrides(overrides)
    with _hydra_set_aside():
        _store_schemas()
        with initialize_config_dir(str(CONFIG_DIR), **VERSION_BASE):
            return typed(compose(config_name="config", overrides=overrides, return_hydra_config=True))


def sweep_directory(overrides: list[str]) -> Path:
    """The folder of the sweep that ``-m`` with these overrides makes; nothing is started.

    Raises:
        ConfigError, HydraException: if its configuration cannot be composed.
    """
    check_overrides(overrides)
    _register_resolvers()
    with _hydra_set_aside():
        _store_schemas()
        with initialize_config_dir(str(CONFIG_DIR), **VERSION_BASE):
            hydra = GlobalHydra.instance().hydra
            assert hydra is not None
            # What hydra.compose does, but for a sweep, whose overrides it would refuse.
            config = hydra.compose_config("config", overrides, RunMode.MULTIRUN)
            return Path(config.hydra.sweep.dir)


@contextmanager
def _hydra_set_aside() -> Iterator[None]:
    """Hydra keeps its state for the whole process; this gives back what composing changes of it."""
    repo = ConfigStore.instance().repo
    stored = dict(repo)
    hydra, base = GlobalHydra.instance().hydra, VersionBase.instance().version_base
    name = JobRuntime.instance().get("name")
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = hydra
        VersionBase.instance().version_base = base
        JobRuntime.instance().set("name", name)
        repo.clear()
        repo.update(stored)


def check_overrides(overrides: Iterable[str]) -> None:
    """Refuse what Hydra takes, or refuses without saying which override it was.

    Raises:
        ConfigError: naming the override and what is allowed.
    """
    parser, groups = OverridesParser.create(), _groups()
    for text in overrides:
        if any("\ud800" <= character <= "\udfff" for character in text):
            # Python hands on the bytes of an argument that it cannot decode as lone surrogates, which no file can hold.
            raise ConfigError(f"{text}: not text in this locale's encoding; LC_ALL=C.UTF-8 reads UTF-8")
        try:
            override = parser.parse_override(text)
        except HydraException:  # Hydra meets it too, and its exception names it
            continue
        if override.is_delete() or override.key_or_group not in groups:
            continue
        if override.key_or_group == "experiment" and override.is_sweep_override():
            raise ConfigError(
                f"{text}: must be one study, for Hydra ignores the grids of several; give each a command of its own"
            )
        value = override.value()
        choices = value.list if isinstance(value, ChoiceSweep) else [value]
        if any(choice is None or isinstance(choice, int | float) for choice in choices):
            raise ConfigError(
                f"{text}: a choice must be a string or a list of strings; allowed: "
                f"{', '.join(options(override.key_or_group))}"
            )


def typed(config: DictConfig) -> Resolved:
    """The composed configuration as checked dataclasses.

    What Hydra itself was told is checked too: as its node in ``config`` has it, or that of the job that is running.

    Raises:
        ConfigError: if it cannot be run.
    """
    if "hydra" in config:
        _check_hydra(config.hydra)
    elif HydraConfig.initialized():
        _check_hydra(HydraConfig.get())
    _refuse_extra_keys(schema.Config, config)
    sections = {str(key): config[key] for key in config if key != "hydra"}
    absent = [entry.name for entry in fields(schema.Config) if entry.name not in sections]
    missing = [
        key
        for value in sections.values()
        if isinstance(value, DictConfig)
        for key in sorted(OmegaConf.missing_keys(value))
    ]
    for key in (*absent, *missing):
        raise ConfigError(f"{key}: has no value")
    values: dict[str, Any] = {
        key: OmegaConf.to_object(value) if isinstance(value, DictConfig) else value for key, value in sections.items()
    }
    return resolve(schema.Config(**values), _given(config))


def _given(config: DictConfig) -> dict[str, bool]:
    """The keys and groups that a study or the command line set, and whether it was the latter."""
    hydra: Any = config.hydra if "hydra" in config else HydraConfig.get() if HydraConfig.initialized() else None
    if hydra is None:
        return {}
    chosen = hydra.runtime.choices.get("experiment")
    folders = [Path(source.path) for source in hydra.runtime.config_sources if source.schema == "file"]
    studied = [
        key
        for name in (chosen if isinstance(chosen, ListConfig) else [chosen])
        if name
        for key in _keys_of_study(str(name), tuple(folders))
    ]
    given = dict.fromkeys(studied, False)
    return given | dict.fromkeys((override.lstrip("+~").partition("=")[0] for override in hydra.overrides.task), True)


@lru_cache(maxsize=64)
def _keys_of_study(name: str, folders: tuple[Path, ...]) -> tuple[str, ...]:
    """The keys that ``experiment/<name>.yaml``, and what it is built from in its folder, sets."""
    for folder in folders:
        path = folder / "experiment" / f"{name}.yaml"
        if path.is_file():
            content: Any = OmegaConf.to_container(OmegaConf.load(path))
            bases = [entry for entry in content.pop("defaults", []) if isinstance(entry, str) and entry != "_self_"]
            content.pop("hydra", None)
            inherited = [key for base in bases for key in _keys_of_study(base, folders)]
            return (*inherited, *flatten(content))
    return ()


def options(group: str) -> list[str]:
    """What can be chosen with ``group=...``: the catalogue's members, or the files of a folder but those for others."""
    if group in schema.SELECTORS:
        return list(schema.options(group))
    return sorted(path.stem for path in (CONFIG_DIR / group).glob("*.yaml") if not path.name.startswith("_"))


def _groups_and_options() -> str:
    """For ``--help``, whose own list has the schema and the files that others are built from as well."""
    return "\n".join(f"{group}: {', '.join(options(group))}" for group in _groups())


def _groups() -> list[str]:
    return [*schema.SELECTORS, *(path.name for path in sorted(CONFIG_DIR.iterdir()) if options(path.name))]


def _check_hydra(hydra: Any) -> None:
    """Refuse what Hydra allows and a run cannot bear.

    ``hydra`` is Hydra's own configuration, as a node or as the proxy that ``HydraConfig`` returns.
    """
    for group, choice in hydra.runtime.choices.items():
        for name in choice if isinstance(choice, list | ListConfig) else [choice]:
            if group.startswith(_SCHEMA_GROUP):
                raise ConfigError(f"{group}={name}: no such group; allowed: {', '.join(_groups())}")
            if str(name).startswith("_"):
                raise ConfigError(f"{group}={name}: no such option; allowed: {', '.join(options(group))}")
    if hydra.job.chdir:
        raise ConfigError(
            "hydra.job.chdir=true: must be false, because the paths of a run start from the folder of its command"
        )


def _refuse_extra_keys(node: type, values: DictConfig, prefix: str = "") -> None:
    """Hydra's ``+key=value`` adds keys even to a closed schema; here they would be ignored in silence."""
    names = [entry.name for entry in fields(node)]
    for key in map(str, values):
        if not prefix and key == "hydra":
            continue
        if key not in names:
            raise ConfigError(no_such_key(f"{prefix}{key}", names))
        if OmegaConf.is_missing(values, key) or OmegaConf.is_interpolation(values, key):
            continue
        value = values[key]
        if isinstance(value, DictConfig):
            section = OmegaConf.get_type(value)
            if section is None or not is_dataclass(section):
                raise ConfigError(f"{prefix}{key}: must be chosen with {prefix}{key}=<option>")
            _refuse_extra_keys(section, value, f"{prefix}{key}.")


def no_such_key(full_key: str, known: list[str], meant: str | None = None) -> str:
    """What to say of a key that is not there: where it would be, or the one that is meant, and which there are."""
    group, _, wrong = full_key.rpartition(".")
    options = [
        f"{group}={name}"
        for name, node in (schema.options(group) if group in schema.SELECTORS else {}).items()
        if wrong in (entry.name for entry in fields(node))
    ]
    close = [meant] if meant else difflib.get_close_matches(wrong, known, n=1)
    hint = ""
    if options:
        hint = f" here, only with {' or '.join(options)}"
    elif close:
        hint = f" (did you mean {close[0]}?)"
    return f"{full_key}: no such key{hint}; {group or 'the configuration'} has: {', '.join(known)}"
