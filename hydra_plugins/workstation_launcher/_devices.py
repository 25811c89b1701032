"""What there is to run on: the GPUs that this process may see, else the CPU; and how jobs share it."""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hydra_plugins.workstation_launcher._cards import Listing, ask_driver
from hydra_plugins.workstation_launcher._gpus import (
    RESTRICTION,
    Gpu,
    NoSuchGpuError,
    choose,
    names_gpus,
    visible_gpus,
)
from hydra_plugins.workstation_launcher._options import OptionError, Options

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_MPS_SHARE = "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"
_WITHOUT = "hydra.launcher.devices=cpu does without"

log = logging.getLogger("hydra_plugins.workstation_launcher")


@dataclass(frozen=True)
class Slot:
    """A place for one job at a time."""

    name: str
    """What people read: ``cpu``, ``GPU 0``, ``GPU 0 MIG 1``."""
    environment: Mapping[str, str]
    """Variables of the job's process that must be set before CUDA starts."""


@dataclass(frozen=True)
class Plan:
    """The slots of a sweep, in the order in which they are filled: round the devices, then round again."""

    slots: tuple[Slot, ...]
    threads: int | None
    """CPU threads of each job; None where the user's own environment says how many."""
    start_interval_seconds: float
    """Time between two starts on one device."""
    cores: int | None = None
    """Those that jobs on the CPU share; None on GPUs."""

    def describe(self) -> str:
        """``2 at a time on cpu, 1 thread each``."""
        devices = list(dict.fromkeys(slot.name for slot in self.slots))
        threads = f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS')}"
        if self.threads is not None:
            threads = f"{self.threads} thread{'s' if self.threads > 1 else ''} each"
        text = f"{len(self.slots)} at a time on {', '.join(devices)}, {threads}"
        wanted = len(self.slots) * (self.threads or 1)
        if self.cores is not None and wanted > self.cores:
            text += f" (warning: {wanted:,} threads on {self.cores} core{'s' if self.cores > 1 else ''})"
        return text


def make_plan(options: Options, environment: Mapping[str, str], ask: Callable[[], Listing] = ask_driver) -> Plan:
    """Decide what runs where; ``ask`` says which graphics cards there are.

    On the CPU ``auto`` is one job for each core, with one thread: recurrent networks step through time, and one small
    matrix product after another splits badly over threads (``scripts/benchmark.py sweep`` measures it). On a GPU it is
    one job a device.

    Raises:
        OptionError: if GPUs are asked for, by the option or by ``CUDA_VISIBLE_DEVICES``, and are not there, or if the
            driver fails. Where none are asked for it is a warning, and the jobs run on the CPU.
    """
    gpus = _gpus(options, environment, ask)
    cores = available_cores()
    if gpus:
        jobs = options.jobs_per_device or 1
        slots = tuple(_gpu_slot(gpu, jobs, environment) for _ in range(jobs) for gpu in gpus)
    else:
        jobs = options.jobs_per_device or max(1, cores // (options.threads_per_job or 1))
        slots = tuple(Slot("cpu", {RESTRICTION: ""}) for _ in range(jobs))
    threads = options.threads_per_job
    if threads is None and "OMP_NUM_THREADS" not in environment:
        threads = max(1, cores // len(slots))
    # CUDA's start takes memory and a lock for a while; on the CPU nothing is gained by waiting.
    interval = options.start_interval_seconds
    seconds = (0.5 if gpus else 0.0) if interval is None else interval
    return Plan(slots, threads, seconds, None if gpus else cores)


def _gpus(options: Options, environment: Mapping[str, str], ask: Callable[[], Listing]) -> tuple[Gpu, ...]:
    """Those to be used; what cannot be is an error where it was asked for, and else a warning."""
    wanted, restriction = options.devices, environment.get(RESTRICTION)
    if wanted == () or (wanted is None and restriction is not None and not names_gpus(restriction)):
        return ()
    asked = f"{RESTRICTION}={restriction}" if names_gpus(restriction) else None
    if wanted is not None:
        asked = f"hydra.launcher.devices={','.join(wanted)}"
    listing = ask()
    if listing.problem:
        failed = f"NVIDIA's driver does not say which GPUs there are: {listing.problem}"
        if asked is not None:
            raise OptionError(f"{asked}: {failed}; {_WITHOUT}")
        _warn(f"no GPU is used, for {failed}")
        return ()
    visible = visible_gpus(listing.cards, environment)
    if wanted is not None:
        try:
            return choose(wanted, visible)
        except NoSuchGpuError as error:
            more = f" ({visible.complaint})" if visible.complaint else ""
            raise OptionError(f"{asked}: {error}{more}") from None
    if visible.complaint and asked is not None and not visible.gpus:
        raise OptionError(f"{visible.complaint}; {_WITHOUT}")
    if visible.complaint:
        _warn(visible.complaint)
    return visible.gpus


@cache
def _warn(line: str) -> None:
    """Once, however many batches of jobs a sweep has."""
    log.warning("warning: %s", line)


def _gpu_slot(gpu: Gpu, jobs: int, environment: Mapping[str, str]) -> Slot:
    # By its UUID, or as the user has counted: an order of counting never has to be set.
    variables = {RESTRICTION: gpu.entry}
    if jobs > 1 and _MPS_SHARE not in environment:
        # Twice the even share, as NVIDIA's MPS guide advises; without an MPS server the variable has no effect.
        variables[_MPS_SHARE] = str(min(100, 200 // jobs))
    return Slot(gpu.name, variables)


def sees_gpus() -> bool:
    """Whether there is an NVIDIA GPU that this process may use, as its driver says: CUDA is not started."""
    return bool(visible_gpus(ask_driver().cards, os.environ).gpus)


def available_cores() -> int:
    """The cores that this process may use: its affinity, and its share under a control group (version 2)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        cores = min(cores, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass  # no control group, or no limit ("max")
    return cores
