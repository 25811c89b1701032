"""The launcher's options, each declared once: Hydra's configuration, the checked values and the documentation's table.

An option is a field of :class:`Options`: its name, the type of its checked value, its default as Hydra's configuration
has it, what checks it, and what it does.
"""

import contextlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from hydra.errors import CompactHydraException

from hydra_plugins.workstation_launcher._declared_options import (
    called,
    checked,
    configuration_node,
    described,
    flag,
    option,
    register_node,
    suggested,
    table_of,
)


class OptionError(CompactHydraException):
    """An option of the launcher that cannot be used; the message names key, value and what is allowed."""


def _devices(value: Any) -> tuple[str, ...] | None:
    if value == "auto":
        return None
    if value in ("cpu", [], ()):
        return ()
    entries = value if isinstance(value, list | tuple) else str(value).split(",")
    names = tuple(str(entry).strip().removeprefix("cuda:") for entry in entries)
    if len(set(names)) < len(names) or not all(name.isdecimal() or name.startswith(("GPU-", "MIG-")) for name in names):
        raise ValueError("auto, cpu, or a list of different GPUs such as [0,1] or [GPU-…,MIG-…]")
    return names


def whole(least: int, *, auto: bool = False) -> Callable[[Any], Any]:
    """The check of a whole number, or ``auto``, which is None."""

    def check(value: Any) -> int | None:
        if auto and value == "auto":
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{'auto or ' if auto else ''}a whole number, at least {least}")
        return value

    return check


def number(*, above_zero: bool = False, absent: str | None = None) -> Callable[[Any], float | None]:
    """A finite number of at least or above zero; ``absent`` is the word for none, if that is a choice."""

    def check(value: Any) -> float | None:
        if absent is not None and value in (None, absent):
            return None
        bad = isinstance(value, bool) or not isinstance(value, int | float)
        if bad or not 0 <= value < float("inf") or (above_zero and value == 0):
            bound = "above" if above_zero else "of at least"
            raise ValueError(f"{f'{absent} or ' if absent else ''}a number {bound} 0")
        return float(value)

    return check


def choice(*allowed: str) -> Callable[[Any], str]:
    """The check of one of several words."""

    def check(value: Any) -> str:
        if value not in allowed:
            raise ValueError(" or ".join(allowed))
        return str(value)

    return check


def texts(what: str) -> Callable[[Any], tuple[str, ...]]:
    """The check of a list of texts."""

    def check(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or not all(isinstance(entry, str) for entry in value):
            raise ValueError(f"a list of {what}")
        return tuple(value)

    return check


def _function(value: Any) -> str | None:
    """A dotted path whose module is there; it is not imported, which may take time."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("the dotted path of a function, or null")
    module = value.rpartition(".")[0]
    while module:
        with contextlib.suppress(ModuleNotFoundError):
            if module in sys.modules or importlib.util.find_spec(module) is not None:  # a main module has no spec
                return value
        module = module.rpartition(".")[0]
    raise ValueError("the dotted path of a function; there is no such module")


check_function = _function
"""For other plugins."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The checked options; ``None`` stands for ``auto`` or ``null`` where that is a choice."""

    devices: tuple[str, ...] | None = option(
        "auto",
        _devices,
        "`auto`: the GPUs that this process may see (`CUDA_VISIBLE_DEVICES` is honoured, MIG instances too), else the "
        "CPU. `cpu`, or a list of numbers, as `nvidia-smi` has them or as `CUDA_VISIBLE_DEVICES` does, and beginnings "
        "of UUIDs: `[0,1]`, `[GPU-8932,MIG-…]`. One that is not there is an error.",
        aliases=("device", "gpus", "gpu"),
    )
    """Numbers and UUIDs; empty for the CPU."""
    jobs_per_device: int | None = option(
        "auto",
        whole(1, auto=True),
        "Jobs at a time on each device. `auto`: one on a GPU; on the CPU one for each core. With more than one on a "
        "GPU, `CUDA_MPS_ACTIVE_THREAD_PERCENTAGE` is set to twice the even share, which matters only under NVIDIA's "
        "MPS server.",
        aliases=("n_jobs", "jobs", "workers", "max_workers", "num_workers", "processes", "parallel"),
    )
    threads_per_job: int | None = option(
        "auto",
        whole(1, auto=True),
        "`OMP_NUM_THREADS`, `MKL_NUM_THREADS`, `OPENBLAS_NUM_THREADS` and `NUMEXPR_NUM_THREADS`. `auto`: the cores "
        "divided by the jobs at a time, unless `OMP_NUM_THREADS` is set already.",
        aliases=("threads", "num_threads", "cpus_per_task"),
    )
    start_interval_seconds: float | None = option(
        "auto",
        number(absent="auto"),
        "Time between two starts on one device. `auto`: 0.5 on a GPU, 0 on the CPU.",
        aliases=("delay", "interval"),
    )
    start_method: str = option(
        "auto",
        choice("auto", "fork", "spawn"),
        "`fork`, or `spawn` for a new interpreter a job.",
        aliases=("backend", "context"),
    )
    preload: tuple[str, ...] = option(
        [],
        texts("modules"),
        "Modules that are imported before the fork, besides what the task function needs.",
    )
    timeout_minutes: float | None = option(
        None,
        number(above_zero=True, absent="null"),
        "A job that takes longer writes where it stands into its log and is killed.",
        aliases=("timeout", "timeout_min", "timeout_seconds", "time_limit"),
    )
    retries: int = option(
        0,
        whole(0),
        "How often a job that died (killed, crashed, hung) is started again.",
        aliases=("retry", "max_retries", "max_num_timeout"),
    )
    retry_exceptions: bool = option(
        default=False, check=flag, description="Whether jobs that raised count for `retries` too."
    )
    fail_fast: bool = option(default=False, check=flag, description="Stop the sweep at the first failure.")
    grace_seconds: float = option(30, number(), "How long interrupted jobs have to stop.")
    resume: bool = option(
        default=True,
        check=flag,
        description="`false` runs all jobs afresh, in their directories; given again after an interruption, with the "
        "same code, it goes on with those that are left.",
    )
    retry_failed: bool = option(
        default=True, check=flag, description="Whether jobs that failed under an earlier command are tried again."
    )
    reuse: bool = option(
        default=False,
        check=flag,
        description="Whether a job that another sweep beside this one's folder has completed, with the same code, is "
        "taken over from there instead of being run; `resume=false` does without it.",
    )
    dry_run: bool = option(
        default=False,
        check=flag,
        description="Print the table of jobs (done or to do, directory, device) and an estimate of the time, and start "
        "nothing.",
        aliases=("dry", "plan"),
    )
    wait: bool = option(
        default=True,
        check=flag,
        description="`false` leaves the sweep to itself and returns: on this machine in the background, where it "
        "goes on when the terminal is closed. The same command then attaches to it.",
        aliases=("block", "blocking", "detach", "background"),
    )
    identity: str | None = option(
        None,
        _function,
        "Dotted path of a function from a job's configuration (with its `hydra` node) to a text that takes the place "
        "of the fingerprint, or to a list: that text, then those that the same job had earlier, whose directories are "
        "then its own.",
    )
    not_identity: tuple[str, ...] = option(
        [], texts("keys"), "Keys that are left out of the fingerprint, such as paths."
    )
    not_in_names: tuple[str, ...] = option([], texts("keys"), "Keys that `${job_directory:}` does not show.")
    code_version: str | None = option(
        None,
        _function,
        "Dotted path of a function that returns a text; when it has changed since a job was completed, that is said. "
        "`null`: the commit of the application's repository, and whether it is dirty; outside of one, the name and the "
        "digest of the application's main file.",
    )
    check_job: str | None = option(
        None,
        _function,
        "Dotted path of a function, called in the launching process with the composed configuration (with its `hydra` "
        "node) of each job that is to run, before anything of the sweep is written. What it raises ends the command.",
    )
    expected_seconds: str | None = option(
        None,
        _function,
        "Dotted path of a function from a job's configuration (with its `hydra` node) and a device's name (`cpu`, "
        "`GPU 0`) to the seconds that the job will take there, or `None`: the longest jobs start first, and the time "
        "left is told. What jobs have taken sets it right. Without one, a job that is run afresh counts as long as it "
        "was, and any other as long as those that have ended were.",
    )
    completed: str | None = option(
        None,
        _function,
        "Dotted path of a function from the directory of a job that is recorded as completed, and its identities, to "
        "whether its results are there and whole; one whose are not is run again, and never taken over.",
    )
    same_because: str | None = option(
        None,
        _function,
        "Dotted path of a function from the configurations of two jobs with one identity to a text that says what "
        "makes them the same. `null`: the overrides in which they differ.",
    )
    on_job_taken: str | None = option(
        None,
        _function,
        "Dotted path of a function, called in the launching process with the composed configuration of a job that is "
        "taken over, the directory that it comes from and the one that will be its own, whose files it may replace.",
    )
    on_job_start: str | None = option(
        None,
        _function,
        "Dotted path of a function, called in the launching process with the job's composed configuration (with its "
        "`hydra` node) and its directory, which need not exist yet, before the job's first attempt starts; again where "
        "that could not start for the disk's sake.",
    )
    on_job_end: str | None = option(
        None,
        _function,
        "Dotted path of a function, called in the launching process, in a thread beside the one that starts jobs, with "
        "the sweep's and the job's directory: one job after another, as they end, and all before `on_sweep_end`.",
    )
    on_sweep_end: str | None = option(
        None,
        _function,
        "Dotted path of a function, called with the sweep's directory at the end, also when jobs have failed, but not "
        "after `Ctrl-C`. A sweeper that works in batches gets it after each.",
    )

    @property
    def timeout_seconds(self) -> float | None:
        """``timeout_minutes``, in seconds."""
        return None if self.timeout_minutes is None else 60 * self.timeout_minutes


def suggest_key(name: str) -> str | None:
    """The option that somebody means who writes ``hydra.launcher.<name>``, which is none, if that can be guessed."""
    return suggested(Options, name)


def option_called(name: str) -> str | None:
    """The option of that name, or that other launchers call so; None if there is none."""
    return called(Options, name)


_OF_A_WORKSTATION = ("devices", "jobs_per_device", "start_interval_seconds", "start_method")

WorkstationLauncherConf = configuration_node(
    "WorkstationLauncherConf",
    Options,
    "hydra_plugins.workstation_launcher.launcher.WorkstationLauncher",
    "hydra/launcher=workstation",
    suggest_key=staticmethod(suggest_key),
)


def checked_options(given: Mapping[str, Any]) -> Options:
    """The options as Hydra hands them over, checked.

    Raises:
        OptionError: if one of them cannot be used, or is none.
    """
    return checked(Options, given, "hydra.launcher", OptionError)


def refuse_of_a_workstation(given: Mapping[str, Any], launcher: str, instead: str) -> None:
    """Refuse options that mean nothing on a cluster, where they are not as they come.

    Raises:
        OptionError: if there is one.
    """
    for entry in fields(Options):
        default = entry.metadata["default"]
        if entry.name in _OF_A_WORKSTATION and given.get(entry.name, default) != default:
            raise OptionError(
                f"hydra.launcher.{entry.name}={given[entry.name]}: has no meaning with hydra/launcher={launcher}; "
                f"{instead} have"
            )


def described_options() -> Iterator[tuple[str, str, str]]:
    """Name, default and description of each option."""
    return described(Options)


def options_table() -> str:
    """The table of the options in the documentation, in Markdown."""
    return table_of(Options)


def register_options() -> None:
    """Make ``hydra/launcher=workstation`` known to Hydra."""
    register_node("hydra/launcher", "workstation", WorkstationLauncherConf, "workstation_launcher")
