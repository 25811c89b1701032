"""From Hydra to a typed :class:`~rnn_mnist.config.Config`, and from its exceptions to one line for the user.

Only entry points use this module; nothing else sees a ``DictConfig``.
"""

import difflib
import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError, OmegaConfBaseException

from rnn_mnist import config as schema
from rnn_mnist.checks import Checked, ConfigError, check, check_sweep_name
from rnn_mnist.errors import ExpectedError
from rnn_mnist.identity import run_id, run_name, sweep_name

_PACKAGE = Path(__file__).parent
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


def register(preflight: Callable[[schema.Config], object] | None = None) -> None:
    """Make the schema and the resolvers of ``conf/config.yaml`` known to Hydra.

    ``preflight`` is called with each checked configuration before its run's directory exists, and may refuse it by
    raising :class:`~rnn_mnist.checks.ConfigError`.
    """
    store = ConfigStore.instance()
    store.store(group="schema", name="config", node=schema.Config)
    for group, nodes in _SCHEMAS.items():
        for name, node in nodes.items():
            store.store(group=f"schema/{group}", name=name, node=node)

    def resolve_run_name(parent: str, *, _root_: DictConfig) -> str:
        config = typed(_root_).config
        if preflight is not None:
            preflight(config)
        return run_name(run_id(config), _root_.hydra.overrides.task, Path(parent))

    def resolve_sweep_name(name: str | None, overrides: list[str]) -> str:
        if name is not None:
            check_sweep_name(name)
        return sweep_name(name, overrides)

    OmegaConf.register_new_resolver("run_name", resolve_run_name, replace=True)
    # Cached, so that each job of a sweep sees the name that the sweep got from the whole command.
    OmegaConf.register_new_resolver("sweep_name", resolve_sweep_name, use_cache=True, replace=True)


def typed(config: DictConfig) -> Checked:
    """The composed configuration as checked dataclasses.

    Raises:
        ConfigError: if it cannot be run.
    """
    sections = {str(key): config[key] for key in config if key != "hydra"}
    _refuse_extra_keys(schema.Config, sections)
    absent = [entry.name for entry in fields(schema.Config) if entry.name not in sections]
    missing = [
        f"{key}.{inner}"
        for key, value in sections.items()
        if isinstance(value, DictConfig)
        for inner in sorted(OmegaConf.missing_keys(value))
    ]
    for key in (*absent, *missing):
        raise ConfigError(f"{key}: has no value")
    values: dict[str, Any] = {
        key: OmegaConf.to_object(value) if isinstance(value, DictConfig) else value for key, value in sections.items()
    }
    return check(schema.Config(**values))


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
        return typed(compose(config_name="config", overrides=overrides))


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
    first_line = error.message.splitlines()[0]
    return f"{error.override}: not an override that Hydra can read (key=value, quoted for the shell): {first_line}"


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
