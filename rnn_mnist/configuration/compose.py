"""From Hydra to a typed :class:`~rnn_mnist.configuration.schema.Config`, and from its exceptions to one line.

Only entry points use this module; nothing else sees a ``DictConfig``.
"""

import difflib
import re
import shlex
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError, OmegaConfBaseException

from rnn_mnist.configuration import schema
from rnn_mnist.configuration.identity import run_id, sweep_name
from rnn_mnist.configuration.resolution import Checked, ConfigError, check, check_sweep_name
from rnn_mnist.errors import ExpectedError

_PACKAGE = Path(__file__).parent.parent
CONFIG_DIR = next(path for path in (_PACKAGE / "conf", _PACKAGE.parent / "conf") if path.is_dir())
"""``conf/``: inside the package in a wheel, beside it in a checkout."""

_SCHEMAS: dict[str, dict[str, type]] = {
    "model": {"rnn": schema.RNNConfig, "lstm": schema.LSTMConfig, "gru": schema.GRUConfig},
    "sequence": {
        "plain": schema.SequenceConfig,
        "permuted_pixels": schema.PermutedPixelsConfig,
        "random_length": schema.RandomLengthConfig,
    },
    "data": {"data": schema.DataConfig},
    "optimizer": {
        "adam": schema.AdamConfig,
        "adamw": schema.AdamWConfig,
        "sgd": schema.SGDConfig,
        "rmsprop": schema.RMSpropConfig,
    },
    "schedule": {
        "constant": schema.ScheduleConfig,
        "cosine": schema.CosineConfig,
        "one_cycle": schema.OneCycleConfig,
        "step": schema.StepConfig,
    },
}

_NOT_TEXT = "{override}: not text in this locale's encoding; LC_ALL=C.UTF-8 reads UTF-8"

# What stands for itself in a value without quotes, or has a meaning (hydra/grammar/OverrideLexer.g4).
_NEEDS_QUOTES = r"""[^A-Za-z0-9_/\-\\+.$%*@?|:=,(){}\[\]\s"']"""


_preflight: Callable[[Checked, bool], object] | None = None


def register(preflight: Callable[[Checked, bool], object] | None = None) -> None:
    """Make the schema and the resolvers of ``conf/config.yaml`` known to Hydra.

    ``preflight`` is called with each checked configuration, and whether it is part of a sweep, before its run's
    directory exists; it may refuse it by raising :class:`~rnn_mnist.configuration.resolution.ConfigError`.
    """
    store = ConfigStore.instance()
    store.store(group="schema", name="config", node=schema.Config)
    for group, nodes in _SCHEMAS.items():
        for name, node in nodes.items():
            store.store(group=f"schema/{group}", name=name, node=node)

    global _preflight
    _preflight = preflight

    def resolve_run_id(*, _root_: DictConfig) -> str:
        return job_identity(_root_)

    def resolve_sweep_name(name: str | None, overrides: list[str]) -> str:
        _refuse_what_is_not_text(overrides)
        if name is not None:
            check_sweep_name(name)
        return sweep_name(name, overrides)

    OmegaConf.register_new_resolver("run_id", resolve_run_id, replace=True)
    # Cached, so that each job of a sweep sees the name that the sweep got from the whole command.
    OmegaConf.register_new_resolver("sweep_name", resolve_sweep_name, use_cache=True, replace=True)
    OmegaConf.register_new_resolver("groups_and_options", _groups_and_options, replace=True)


def job_identity(config: DictConfig) -> str:
    """What the launcher knows a job of a sweep by: its run's id. The configuration is checked on the way."""
    checked = typed(config)
    if _preflight is not None:
        _preflight(checked, config.hydra.mode == RunMode.MULTIRUN)
    return run_id(checked.config)


def typed(config: DictConfig) -> Checked:
    """The composed configuration as checked dataclasses.

    What Hydra itself was told is checked too: as its node in ``config`` has it, or that of the job that is running.

    Raises:
        ConfigError: if it cannot be run.
    """
    if "hydra" in config:
        _check_hydra(config.hydra)
    elif HydraConfig.initialized():
        _check_hydra(HydraConfig.get())
    sections = {str(key): config[key] for key in config if key != "hydra"}
    _refuse_extra_keys(schema.Config, sections)
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
    return check(schema.Config(**values))


def options(group: str) -> list[str]:
    """What can be chosen with ``group=...``: the files of ``conf/``'s folder but those that others are built from."""
    return sorted(path.stem for path in (CONFIG_DIR / group).glob("*.yaml") if not path.name.startswith("_"))


def _groups_and_options() -> str:
    """For ``--help``, whose own list has the schema and the files that others are built from as well."""
    return "\n".join(f"{group}: {', '.join(options(group))}" for group in _groups())


def _groups() -> list[str]:
    return [path.name for path in sorted(CONFIG_DIR.iterdir()) if options(path.name)]


def _check_hydra(hydra: Any) -> None:
    """Refuse what Hydra allows and a run cannot bear.

    ``hydra`` is Hydra's own configuration, as a node or as the proxy that ``HydraConfig`` returns.
    """
    _refuse_what_is_not_text([*hydra.overrides.task, *hydra.overrides.hydra])
    for group, choice in hydra.runtime.choices.items():
        for name in choice if isinstance(choice, list | ListConfig) else [choice]:
            if group.startswith("schema"):
                raise ConfigError(f"{group}={name}: no such group; allowed: {', '.join(_groups())}")
            if str(name).startswith("_"):
                raise ConfigError(f"{group}={name}: no such option; allowed: {', '.join(options(group))}")
    if hydra.job.chdir:
        raise ConfigError(
            "hydra.job.chdir=true: must be false, because the paths of a run start from the folder of its command"
        )
    _refuse_an_ignored_grid(hydra)


def _refuse_an_ignored_grid(hydra: Any) -> None:
    """Refuse the job of a sweep over studies: Hydra's sweeper reads a study's grid only where one study is chosen.

    Where the sweeper has read it, each of its keys is among the job's overrides.
    """
    if hydra.mode != RunMode.MULTIRUN or OmegaConf.is_missing(hydra.job, "num"):
        return
    given = {override.lstrip("+~").partition("=")[0] for override in hydra.overrides.task}
    ignored = [key for key in hydra.sweeper.get("params") or {} if key.lstrip("+~") not in given]
    if ignored:
        raise ConfigError(
            f"experiment={hydra.runtime.choices.get('experiment')}: must be the only study of a sweep, for Hydra "
            f"ignores the grids of several ({', '.join(ignored)}); give each a command of its own"
        )


def _refuse_what_is_not_text(overrides: Iterable[str]) -> None:
    """Python hands on the bytes of an argument that it cannot decode as lone surrogates, which no file can hold."""
    for override in overrides:
        if not _is_text(override):
            raise ConfigError(_NOT_TEXT.format(override=override))


def _is_text(override: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in override)


def _refuse_extra_keys(node: type, values: Mapping[str, Any], prefix: str = "") -> None:
    """Hydra's ``+key=value`` adds keys even to a closed schema; here they would be ignored in silence."""
    names = [entry.name for entry in fields(node)]
    for key, value in values.items():
        if key not in names:
            raise ConfigError(_no_such_key(f"{prefix}{key}", names))
        if isinstance(value, DictConfig):
            section = OmegaConf.get_type(value)
            if section is None or not is_dataclass(section):
                raise ConfigError(f"{prefix}{key}: must be chosen with {prefix}{key}=<option>")
            _refuse_extra_keys(section, {str(inner): value._get_node(inner) for inner in value}, f"{prefix}{key}.")


def compose_checked(overrides: list[str]) -> Checked:
    """Compose ``conf/config.yaml`` with command-line overrides, without starting a run.

    Raises:
        ConfigError: if the configuration cannot be run.
        HydraException: if it cannot be composed.
    """
    register()
    with initialize_config_dir(version_base="1.3", config_dir=str(CONFIG_DIR)):
        return typed(compose(config_name="config", overrides=overrides, return_hydra_config=True))


def sweep_directory(overrides: list[str]) -> Path:
    """The folder of the sweep that ``-m`` with these overrides makes; nothing is started.

    Raises:
        HydraException: if its configuration cannot be composed.
    """
    register()
    with initialize_config_dir(version_base="1.3", config_dir=str(CONFIG_DIR)):
        # What ``hydra.compose`` does, but for a sweep, whose overrides it would refuse.
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        config = hydra.compose_config("config", overrides, RunMode.MULTIRUN)
        return Path(config.hydra.sweep.dir)


def explain_error(error: BaseException) -> str | None:
    """One line, with key, value and what is allowed, for what a user can act on; ``None`` for what looks like a bug."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    for known in (_own_error, _missing_option, _unparsable_override, _bad_key_or_value):
        for link in chain:
            line = known(link, chain)
            if line is not None:
                return line
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if any(_resolver_crashed(link) for link in chain):
        return None
    if _raised_in_hydra(error):
        # The override is not in the message, but it is what the loop that raised it stands at.
        override = getattr(_last_frame(error).f_locals.get("override"), "input_line", None)
        return f"{override}: {error}" if override else str(error)
    if isinstance(error, HydraException | OmegaConfBaseException):
        return " ".join(str(error).split())
    return None


def _resolver_crashed(error: BaseException) -> bool:
    """OmegaConf wraps whatever a resolver raises in this very class; bad interpolations are subclasses of it."""
    return type(error) is InterpolationResolutionError


def _raised_in_hydra(error: BaseException) -> bool:
    """Hydra reports some unusable overrides (``model=null``) as bare ValueErrors."""
    return isinstance(error, ValueError) and _last_frame(error).f_globals.get("__name__", "").startswith("hydra.")


def _last_frame(error: BaseException) -> FrameType:
    return [frame for frame, _ in traceback.walk_tb(error.__traceback__)][-1]


def _own_error(error: BaseException, _chain: list[BaseException]) -> str | None:
    return " ".join(str(error).split()) if isinstance(error, ExpectedError) else None


def _missing_option(error: BaseException, _chain: list[BaseException]) -> str | None:
    if not isinstance(error, MissingConfigException) or not error.missing_cfg_file:
        return None
    group, _, option = error.missing_cfg_file.rpartition("/")
    options = [name for name in error.options or () if not name.startswith("_")]
    if not options:
        return f"{error.missing_cfg_file}: no such configuration"
    return f"{group}={option}: no such option; allowed: {', '.join(options)}"


def _unparsable_override(error: BaseException, _chain: list[BaseException]) -> str | None:
    if not isinstance(error, OverrideParseException):
        return None
    key, equals, value = error.override.partition("=")
    if not _is_text(error.override):
        return _NOT_TEXT.format(override=error.override)
    if not equals:
        return f"{error.override}: must be key=value"
    special = re.search(_NEEDS_QUOTES, value)
    quoted = f'{key}="{value}"'
    if special and _can_be_read(quoted):
        return (
            f"{error.override}: Hydra reads {special.group()} only within quotes, and the shell takes a pair for "
            f"itself: {shlex.quote(quoted)}"
        )
    return f"{error.override}: not an override that Hydra can read (key=value): {error.message.splitlines()[0]}"


def _can_be_read(override: str) -> bool:
    try:
        OverridesParser.create().parse_override(override)
    except HydraException:
        return False
    return True


def _bad_key_or_value(error: BaseException, chain: list[BaseException]) -> str | None:
    if not isinstance(error, OmegaConfBaseException) or not error.full_key or _resolver_crashed(error):
        return None
    reason = str(error.msg or error).splitlines()[0]
    if "not in" in reason:
        return _unknown_key(error)
    value = getattr(error, "value", None)
    shown = f"={value}" if value is not None else ""
    for link in chain:
        override = re.search(r"merging override '?([^\s']+)", str(link))
        if override is not None:
            shown = "=" + override.group(1).partition("=")[2]
    return f"{error.full_key}{shown}: {reason[0].lower()}{reason[1:]}"


def _unknown_key(error: OmegaConfBaseException) -> str:
    parent: Any = error.parent_node
    known = [str(key) for key in parent if key != "hydra"] if isinstance(parent, DictConfig) else []
    return _no_such_key(str(error.full_key), known)


def _no_such_key(full_key: str, known: list[str]) -> str:
    group, _, wrong = full_key.rpartition(".")
    options = [
        f"{group}={name}"
        for name, node in _SCHEMAS.get(group, {}).items()
        if wrong in (entry.name for entry in fields(node))
    ]
    close = difflib.get_close_matches(wrong, known, n=1)
    hint = ""
    if options:
        hint = f" here, only with {' or '.join(options)}"
    elif close:
        hint = f" (did you mean {close[0]}?)"
    return f"{full_key}: no such key{hint}; {group or 'the configuration'} has: {', '.join(known)}"
