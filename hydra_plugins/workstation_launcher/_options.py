"""The launcher's options: what Hydra's configuration holds, and the checked values that the launcher works with."""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.errors import CompactHydraException


@dataclass
class WorkstationLauncherConf:
    """``hydra.launcher`` with ``hydra/launcher=workstation``; docs/launcher.md describes each option."""

    _target_: str = "hydra_plugins.workstation_launcher.launcher.WorkstationLauncher"
    devices: Any = "auto"
    jobs_per_device: Any = "auto"
    threads_per_job: Any = "auto"
    start_interval_seconds: Any = "auto"
    start_method: Any = "auto"
    preload: list[str] = field(default_factory=list)
    resume: Any = True
    retry_failed: Any = True
    retries: Any = 0
    retry_exceptions: Any = False
    fail_fast: Any = False
    timeout_minutes: Any = None
    grace_seconds: Any = 30.0
    dry_run: Any = False
    identity: str | None = None
    not_identity: list[str] = field(default_factory=list)
    not_in_names: list[str] = field(default_factory=list)
    code_version: str | None = None
    on_job_start: str | None = None
    on_job_end: str | None = None
    on_sweep_end: str | None = None


class OptionError(CompactHydraException):
    """An option of the launcher that cannot be used; the message names key, value and what is allowed."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The checked options. ``None`` stands for ``auto`` where that is a choice."""

    devices: tuple[str, ...] | None
    """``CUDA_VISIBLE_DEVICES`` entries; empty for the CPU."""
    jobs_per_device: int | None
    threads_per_job: int | None
    start_interval_seconds: float | None
    start_method: str
    """``auto``, ``fork`` or ``spawn``."""
    preload: tuple[str, ...]
    resume: bool
    retry_failed: bool
    retries: int
    retry_exceptions: bool
    fail_fast: bool
    timeout_seconds: float | None
    grace_seconds: float
    dry_run: bool
    identity: str | None
    not_identity: tuple[str, ...]
    code_version: str | None
    on_job_start: str | None
    on_job_end: str | None
    on_sweep_end: str | None


def checked_options(**given: Any) -> Options:
    """The options as Hydra hands them over, checked.

    Raises:
        OptionError: if one of them cannot be used.
    """
    given.pop("not_in_names", None)  # read where names are made, from the configuration
    minutes = _number("timeout_minutes", given.pop("timeout_minutes"), 0, above=True, none="null")
    return Options(
        devices=_devices(given.pop("devices")),
        jobs_per_device=_whole("jobs_per_device", given.pop("jobs_per_device"), 1, auto=True),
        threads_per_job=_whole("threads_per_job", given.pop("threads_per_job"), 1, auto=True),
        start_interval_seconds=_number("start_interval_seconds", given.pop("start_interval_seconds"), 0, none="auto"),
        start_method=_choice("start_method", given.pop("start_method"), ("auto", "fork", "spawn")),
        preload=tuple(given.pop("preload") or ()),
        retries=_whole("retries", given.pop("retries"), 0) or 0,
        grace_seconds=_number("grace_seconds", given.pop("grace_seconds"), 0) or 0.0,
        timeout_seconds=None if minutes is None else 60 * minutes,
        not_identity=tuple(given.pop("not_identity") or ()),
        resume=_flag("resume", given.pop("resume")),
        retry_failed=_flag("retry_failed", given.pop("retry_failed")),
        retry_exceptions=_flag("retry_exceptions", given.pop("retry_exceptions")),
        fail_fast=_flag("fail_fast", given.pop("fail_fast")),
        dry_run=_flag("dry_run", given.pop("dry_run")),
        identity=_text("identity", given.pop("identity")),
        code_version=_text("code_version", given.pop("code_version")),
        on_job_start=_text("on_job_start", given.pop("on_job_start")),
        on_job_end=_text("on_job_end", given.pop("on_job_end")),
        on_sweep_end=_text("on_sweep_end", given.pop("on_sweep_end")),
    )


def _refuse(key: str, value: Any, allowed: str) -> OptionError:
    return OptionError(f"hydra.launcher.{key}={value}: must be {allowed}")


def _devices(value: Any) -> tuple[str, ...] | None:
    if value == "auto":
        return None
    if value in ("cpu", [], ()):
        return ()
    entries = value if isinstance(value, list | tuple) else str(value).split(",")
    names = tuple(str(entry).strip().removeprefix("cuda:") for entry in entries)
    if len(set(names)) < len(names) or not all(name.isdecimal() or name.startswith(("GPU-", "MIG-")) for name in names):
        raise _refuse("devices", value, "auto, cpu, or a list of different GPUs such as [0,1] or [GPU-…,MIG-…]")
    return names


def _whole(key: str, value: Any, least: int, *, auto: bool = False) -> int | None:
    if auto and value == "auto":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise _refuse(key, value, f"{'auto or ' if auto else ''}a whole number, at least {least}")
    return value


def _number(key: str, value: Any, least: float, *, above: bool = False, none: str | None = None) -> float | None:
    if none is not None and (value is None or value == none):
        return None
    bad = isinstance(value, bool) or not isinstance(value, int | float)
    if bad or not least <= value < float("inf") or (above and value == least):
        or_none = f"{none} or " if none else ""
        raise _refuse(key, value, f"{or_none}a number {'above' if above else 'of at least'} {least:g}")
    return float(value)


def _flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refuse(key, value, "true or false")
    return value


def _choice(key: str, value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise _refuse(key, value, " or ".join(allowed))
    return str(value)


def _text(key: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise _refuse(key, value, "the dotted path of a function, or null")
    return value


def register_options() -> None:
    """Make ``hydra/launcher=workstation`` known to Hydra."""
    group, name, store = "hydra/launcher", "workstation", ConfigStore.instance()
    try:
        known = store.list(group)
    except OSError:
        known = []
    if f"{name}.yaml" not in known:  # Hydra runs a plugin that the app has imported a second time
        store.store(group=group, name=name, node=WorkstationLauncherConf, provider="workstation_launcher")
