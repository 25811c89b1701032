"""The options of ``hydra/launcher=slurm``: those of the workstation launcher that mean something there, and Slurm's."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from hydra_plugins.workstation_launcher._declared_options import (
    checked,
    configuration_node,
    option,
    register_node,
    suggested,
    table_of,
)
from hydra_plugins.workstation_launcher._options import (
    OptionError,
    Options,
    number,
    refuse_of_a_workstation,
    texts,
    whole,
)

_OURS = ("array", "hold", "signal", "requeue", "output", "error", "comment", "chdir", "open-mode", "job-name")
"""Parameters of ``sbatch`` that the launcher itself gives."""


def _name(value: Any) -> str | None:
    if value is None or (isinstance(value, str | int) and not isinstance(value, bool) and str(value)):
        return None if value is None else str(value)
    raise ValueError("a text, or null")


def _memory(value: Any) -> str | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return None if value is None else f"{value}GB"
    if isinstance(value, str) and re.fullmatch(r"[1-9]\d*(\.\d+)?[KMGT]B?", value):
        return value
    raise ValueError("a number of gigabytes, or a number with K, M, G or T, or null")


def _gpus(value: Any) -> str | None:
    if value is None or value == 0:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return str(value)
    if isinstance(value, str) and re.fullmatch(r"(\w[\w.-]*:)?[1-9]\d*", value):
        return value
    raise ValueError("a number of GPUs, or type and number such as a100:2, or null")


def _parameters(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(each, str | int | float | bool) for each in value.values()):
        raise ValueError("a mapping of sbatch's options to values, such as {nice: 100}; true for one without a value")
    if taken := [name for name in value if str(name).replace("_", "-") in _OURS]:
        raise ValueError(f"without {taken[0]}, which the launcher itself gives")
    return {str(name): each for name, each in value.items()}


@dataclass(frozen=True, kw_only=True)
class SlurmOptions(Options):
    """The checked options."""

    partition: str | None = option(None, _name, "Of Slurm; `null`: the cluster's own default, here and below.")
    account: str | None = option(None, _name, "Whom the time is charged to.")
    qos: str | None = option(None, _name, "Quality of service.")
    time_minutes: int = option(
        60,
        whole(1),
        "A job's time limit. `warn_seconds` before it the job is told to stop, and is put back into the queue.",
        aliases=("time", "timeout_min", "time_limit", "timeout"),
    )
    cpus: int = option(1, whole(1), "A job's cores, and its threads unless `threads_per_job` says otherwise.",
        aliases=("cpus_per_task", "num_cpus", "cores"))  # fmt: skip
    memory: str | None = option(
        None,
        _memory,
        "A job's memory: gigabytes, or with a unit (`500M`).",
        aliases=("mem", "mem_gb", "memory_gb", "mem_per_cpu"),
    )
    gpus: str | None = option(
        None, _gpus, "A job's GPUs: a number, or type and number (`a100:1`).",
        aliases=("gpus_per_node", "gpus_per_task", "gres", "num_gpus"),
    )  # fmt: skip
    constraint: str | None = option(None, _name, "Features that a node must have.")
    array_parallelism: int = option(
        256, whole(1), "How many jobs of an array run at a time.", aliases=("parallelism", "max_parallel")
    )
    additional_parameters: Mapping[str, Any] = option(
        {}, _parameters, "More of `sbatch`'s options: `{nice: 100, exclude: n7, exclusive: true}`."
    )
    setup: tuple[str, ...] = option([], texts("lines"), "Lines of shell before a job starts, such as `module load`.")
    requeues: int = option(
        100,
        whole(0),
        "How often a job that comes to its time limit is put back into the queue, to go on where it stood. One whose "
        "node fails, or that is preempted, Slurm puts back itself, unless this is 0.",
        aliases=("requeue", "max_num_timeout"),
    )
    warn_seconds: int = option(
        120,
        whole(1),
        "How long before its time limit a job is told to stop. Slurm may be a minute late with it.",
        aliases=("signal_delay_s", "signal"),
    )
    poll_seconds: float = option(3, number(above_zero=True), "How often Slurm's queue is looked at.")


def suggest_key(name: str) -> str | None:
    """The option that somebody means who writes ``hydra.launcher.<name>``, which is none, if that can be guessed."""
    return suggested(SlurmOptions, name)


SlurmLauncherConf = configuration_node(
    "SlurmLauncherConf",
    SlurmOptions,
    "hydra_plugins.workstation_launcher.slurm_launcher.SlurmLauncher",
    "hydra/launcher=slurm",
    suggest_key=staticmethod(suggest_key),
)


def checked_slurm_options(given: Mapping[str, Any]) -> SlurmOptions:
    """The options as Hydra hands them over, checked.

    Raises:
        OptionError: if one of them cannot be used, or is none.
    """
    refuse_of_a_workstation(given, "slurm", "cpus, gpus and array_parallelism")
    return checked(SlurmOptions, given, "hydra.launcher", OptionError)


def slurm_options_table() -> str:
    """The table of Slurm's own options in the documentation, in Markdown."""
    common = {entry.name for entry in fields(Options)}
    return table_of(SlurmOptions, without=common)


def register_slurm_options() -> None:
    """Make the options of ``hydra/launcher=slurm`` known to Hydra; ``conf`` has that one."""
    register_node("hydra/launcher", "slurm_options", SlurmLauncherConf, "workstation_launcher")
