"""From Hydra to a typed :class:`~rnn_mnist.configuration.schema.Config`.

Only entry points use this module; nothing else sees a ``DictConfig``. What Hydra raises on the way becomes one line in
:mod:`rnn_mnist.configuration.mistakes`. ``config_dir`` is the folder of ``--config-dir``, in whose ``experiment/`` a
user's own studies may lie; see :mod:`rnn_mnist.configuration.studies`.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobRuntime
from hydra.types import RunMode
from hydra.version import VersionBase
from omegaconf import DictConfig, ListConfig, OmegaConf

from hydra_plugins.workstation_launcher import override_key
from rnn_mnist.catalogues.trackers import chosen_trackers, preloaded
from rnn_mnist.configuration import schema
from rnn_mnist.configuration.choices import CONFIG_DIR as CONFIG_DIR  # where every entry point looks for it
from rnn_mnist.configuration.choices import groups, groups_and_options
from rnn_mnist.configuration.choices import options as options
from rnn_mnist.configuration.hydra_versions import VERSION_BASE, register_resolver
from rnn_mnist.configuration.identity import not_in_names, sweep_name
from rnn_mnist.configuration.mistakes import explain_error, no_such_key
from rnn_mnist.configuration.overrides import check_overrides, for_sweep, with_filter_quoted
from rnn_mnist.configuration.reference import as_text
from rnn_mnist.configuration.resolution import ConfigError, Resolved, check_sweep_name, resolve
from rnn_mnist.configuration.studies import GROUP, OWN, keys_of_study, store_own_studies
from rnn_mnist.errors import ExpectedError

_SCHEMA_GROUP = "schema"
_PROFILE = "profile"


def config_dir_of(arguments: Sequence[str]) -> Path | None:
    """The folder that ``--config-dir`` names on a command line of Hydra's, or None."""
    parser = argparse.ArgumentParser(add_help=False)
    # -c would else be taken for short for -cd.
    for flags in (("--config-dir", "-cd"), ("--config-path", "-cp"), ("--config-name", "-cn"), ("--cfg", "-c")):
        parser.add_argument(*flags)
    named = parser.parse_known_args(arguments)[0].config_dir
    return None if named is None else Path(named)


def register(identify: Callable[[DictConfig], str | list[str]], config_dir: Path | None = None) -> None:
    """Make the schema and the resolvers of ``conf/config.yaml`` known to Hydra, for the rest of this process.

    ``identify`` gives the run's id of a composed configuration, alone or with former ones after it, for the name of
    its directory. It may refuse the configuration with
    :class:`~rnn_mnist.configuration.resolution.ConfigError`: nothing has been written by then.
    """
    _store_configs()

    def resolve_run_id(*, _root_: DictConfig) -> str | list[str]:
        return identify(_root_)

    register_resolver("run_id", resolve_run_id, replace=True)
    _register_resolvers(config_dir)


def _register_resolvers(config_dir: Path | None) -> None:
    def resolve_sweep_name(name: str | None, overrides: ListConfig, profile: str | None = None) -> str:
        if name is not None:
            check_sweep_name(name)
            if profile is not None and "sweep" not in map(override_key, overrides):
                name = f"{name}_{profile}"  # the study's name, and not the study's folder
        return sweep_name(name, overrides)

    # Cached, so that each job of a sweep sees the name that the sweep got from the whole command.
    register_resolver("sweep_name", resolve_sweep_name, use_cache=True, replace=True)
    register_resolver("with_trackers", _with_trackers, replace=True)
    register_resolver("not_in_names", lambda: list(not_in_names()), replace=True)
    # Hydra's help is a string.Template.
    register_resolver("keys", lambda: as_text().replace("$", "$$"), replace=True)
    register_resolver("groups_and_options", lambda: groups_and_options(config_dir), replace=True)


def _with_trackers(modules: Any, tracker: Any) -> list[str]:
    """The modules, and those that the chosen trackers take long to import.

    OmegaConf 2.4 holds what it gives against the annotations, and gives other sequences than 2.3.
    """
    return [*modules, *preloaded(chosen_trackers(list(tracker) if isinstance(tracker, ListConfig) else tracker))]


def _store_configs() -> None:
    store = ConfigStore.instance()
    store.repo |= {group: {} for group in (_SCHEMA_GROUP, *schema.SELECTORS)}
    store.store(group=_SCHEMA_GROUP, name="config", node=schema.Config)
    for group in schema.SELECTORS:
        for name in schema.options(group):
            store.store(group=group, name=name, node=schema.chosen(group, name))
    store_own_studies()


def compose_checked(overrides: Sequence[str], config_dir: Path | None = None) -> Resolved:
    """Compose ``conf/config.yaml`` with command-line overrides, without starting a run.

    Whatever Hydra is in use for in this process, a notebook or another application, goes on as it was.

    Raises:
        ConfigError: if the configuration cannot be composed or run.
    """
    with _composing(overrides, config_dir) as asked:
        return typed(compose(config_name="config", overrides=asked, return_hydra_config=True))


def sweep_directory(overrides: Sequence[str], config_dir: Path | None = None) -> Path:
    """The folder of the sweep that ``-m`` with these overrides makes; nothing is started.

    Raises:
        ConfigError: if its configuration cannot be composed.
    """
    with _composing(for_sweep(overrides), config_dir) as asked:
        _register_resolvers(config_dir)
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        # What hydra.compose does, but for a sweep, whose overrides it would refuse.
        config = hydra.compose_config("config", asked, RunMode.MULTIRUN)
        return Path(config.hydra.sweep.dir)


@contextmanager
def _composing(overrides: Sequence[str], config_dir: Path | None) -> Iterator[list[str]]:
    """A Hydra of our own for a while, and the overrides to compose with; its errors come out as one line."""
    try:
        overrides = with_filter_quoted(overrides)
        check_overrides(overrides, config_dir)
        with _hydra_set_aside():
            _store_configs()
            with initialize_config_dir(str(CONFIG_DIR), **VERSION_BASE):
                yield [*overrides, *_search_path(config_dir)]
    except ExpectedError:
        raise
    except Exception as error:
        line = explain_error(error)
        if line is None:
            raise
        raise ConfigError(line) from error


def _search_path(config_dir: Path | None) -> list[str]:
    """What ``--config-dir`` is on Hydra's command line, as an override."""
    if config_dir is None:
        return []
    if not config_dir.is_dir():
        raise ConfigError(f"{config_dir}: no such folder, for --config-dir")
    quoted = str(config_dir.absolute()).replace("\\", "\\\\").replace('"', '\\"')
    return [f'hydra.searchpath=["{quoted}"]']


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
    written = _refuse_extra_keys(schema.Config, config)
    sections = {str(key): config[key] for key in config if key != "hydra"}
    absent = [entry.name for entry in fields(schema.Config) if entry.name not in sections]
    missing = [
        key
        for name, value in sections.items()
        if isinstance(value, DictConfig) and _lacks_values(written.get(name) or OmegaConf.to_container(value))
        for key in sorted(OmegaConf.missing_keys(value))
    ]
    for key in (*absent, *missing):
        raise ConfigError(f"{key}: has no value")
    values: dict[str, Any] = {
        key: OmegaConf.to_object(value) if isinstance(value, DictConfig | ListConfig) else value
        for key, value in sections.items()
    }
    # Here and not with the other keys: a run can be read, and made again, without the tracker that it was written to.
    chosen_trackers(values["tracker"])
    return resolve(schema.Config(**values), _given(config))


def _given(config: DictConfig) -> dict[str, bool]:
    """The keys and groups that a study, a profile or the command line set, and whether it was the last."""
    hydra: Any = config.hydra if "hydra" in config else HydraConfig.get() if HydraConfig.initialized() else None
    if hydra is None:
        return {}
    sources = [Path(source.path) for source in hydra.runtime.config_sources if source.schema == "file"]
    studied: list[str] = []
    for group, own in ((GROUP, [OWN]), (_PROFILE, [])):
        folders = [*(source / group for source in sources), *own]
        chosen = hydra.runtime.choices.get(group)
        for name in chosen if isinstance(chosen, ListConfig) else [chosen]:
            studied += keys_of_study(str(name), folders) if name else ()
    given = dict.fromkeys(studied, False)
    return given | dict.fromkeys(map(override_key, hydra.overrides.task), True)


def _check_hydra(hydra: Any) -> None:
    """Refuse what Hydra allows and a run cannot bear.

    ``hydra`` is Hydra's own configuration, as a node or as the proxy that ``HydraConfig`` returns.
    """
    for group, choice in hydra.runtime.choices.items():
        for name in choice if isinstance(choice, list | ListConfig) else [choice]:
            if group.startswith(_SCHEMA_GROUP):
                raise ConfigError(f"{group}={name}: no such group; allowed: {', '.join(groups())}")
            if str(name).startswith("_"):
                raise ConfigError(f"{group}={name}: no such option; allowed: {', '.join(options(group))}")
    if hydra.job.chdir:
        raise ConfigError(
            "hydra.job.chdir=true: must be false, because the paths of a run start from the folder of its command"
        )


def _refuse_extra_keys(node: type, values: DictConfig) -> dict[str, Any]:
    """Hydra's ``+key=value`` adds keys even to a closed schema; here they would be ignored in silence.

    Returns:
        Sections as plain containers: to make them takes a while where jobs are thousands.
    """
    names = [entry.name for entry in fields(node)]
    written = {}
    for key in map(str, values):
        if key == "hydra":
            continue
        if key not in names:
            raise ConfigError(no_such_key(key, names))
        if OmegaConf.is_missing(values, key) or OmegaConf.is_interpolation(values, key):
            continue
        value = values[key]
        if isinstance(value, DictConfig):
            written[key] = OmegaConf.to_container(value)
            _refuse_extra_keys_of_section(value, written[key], f"{key}.")
    return written


def _refuse_extra_keys_of_section(section: DictConfig, written: Any, prefix: str) -> None:
    """As above; ``written`` is the section as plain containers, which are walked several times as quickly."""
    node = OmegaConf.get_type(section)
    if node is None or not is_dataclass(node):
        key = prefix.removesuffix(".")
        raise ConfigError(f"{key}: must be chosen with {key}=<option>")
    names = [entry.name for entry in fields(node)]
    for key, value in ((str(key), value) for key, value in written.items()):
        if key not in names:
            raise ConfigError(no_such_key(f"{prefix}{key}", names))
        if isinstance(value, dict):
            _refuse_extra_keys_of_section(section[key], value, f"{prefix}{key}.")


def _lacks_values(written: Any) -> bool:
    """Whether a key of plain containers, as ``OmegaConf.to_container`` makes them, has none."""
    if isinstance(written, dict | list):
        return any(map(_lacks_values, written.values() if isinstance(written, dict) else written))
    return bool(written == "???")
