"""What there is to run on: the GPUs that this process may see, else the CPU; and how jobs share it."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hydra_plugins.workstation_launcher._options import OptionError, Options

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_MPS_SHARE = "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"


@dataclass(frozen=True)
class Slot:
    """A place for one job at a time."""

    name: str
    """What people read: ``cpu``, ``GPU 0``, ``MIG-…``."""
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


def make_plan(options: Options, environment: Mapping[str, str]) -> Plan:
    """Decide what runs where.

    On the CPU ``auto`` is one job for each core, with one thread: recurrent networks step through time, and one small
    matrix product after another splits badly over threads (``scripts/benchmark.py sweep`` measures it). On a GPU it is
    one job a device.

    Raises:
        OptionError: if a device is asked for that this process may not see.
    """
    devices = options.devices
    if devices is None or devices:
        visible = visible_gpus(environment)
        devices = visible if devices is None else _chosen(devices, visible)
    cores = available_cores()
    if devices:
        jobs = options.jobs_per_device or 1
        slots = tuple(_gpu_slot(device, jobs, environment) for _ in range(jobs) for device in devices)
    else:
        jobs = options.jobs_per_device or max(1, cores // (options.threads_per_job or 1))
        slots = tuple(Slot("cpu", {"CUDA_VISIBLE_DEVICES": ""}) for _ in range(jobs))
    threads = options.threads_per_job
    if threads is None and "OMP_NUM_THREADS" not in environment:
        threads = max(1, cores // len(slots))
    # CUDA's start takes memory and a lock for a while; on the CPU nothing is gained by waiting.
    interval = options.start_interval_seconds
    seconds = (0.5 if devices else 0.0) if interval is None else interval
    return Plan(slots, threads, seconds, None if devices else cores)


def _chosen(devices: tuple[str, ...], visible: tuple[str, ...]) -> tuple[str, ...]:
    for device in devices:
        if device not in visible:
            raise OptionError(
                f"hydra.launcher.devices={','.join(devices)}: {device} is not visible here; "
                f"visible: {', '.join(visible) or 'no GPU'}"
            )
    return devices


def _gpu_slot(device: str, jobs: int, environment: Mapping[str, str]) -> Slot:
    variables = {"CUDA_VISIBLE_DEVICES": device}
    if "CUDA_DEVICE_ORDER" not in environment:
        # The order of nvidia-smi, in which the devices were counted.
        variables["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    if jobs > 1 and _MPS_SHARE not in environment:
        # Twice the even share, as NVIDIA's MPS guide advises; without an MPS server the variable has no effect.
        variables[_MPS_SHARE] = str(min(100, 200 // jobs))
    return Slot(f"GPU {device}" if device.isdecimal() else device, variables)


def visible_gpus(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The entries for ``CUDA_VISIBLE_DEVICES`` of the GPUs and MIG instances that this process may use.

    CUDA itself is not started: a process that has started it cannot be forked. Where ``CUDA_VISIBLE_DEVICES`` is set
    it is read as CUDA reads it (the list ends at the first entry that is not valid); else ``nvidia-smi -L`` is asked,
    and a GPU that is split into MIG instances is replaced by them, because it cannot be used whole.
    """
    restriction = environment.get("CUDA_VISIBLE_DEVICES")
    if restriction is None:
        return _listed_by_driver(environment)
    visible: list[str] = []
    for entry in restriction.split(","):
        name = entry.strip()
        if not (name.isdecimal() or name.startswith(("GPU-", "MIG-"))) or name in visible:
            break
        visible.append(name)
    return tuple(visible) if visible and _listed_by_driver(environment) else ()


def _listed_by_driver(environment: Mapping[str, str]) -> tuple[str, ...]:
    try:
        listing = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30, check=True, env=dict(environment)
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    gpus: dict[str, list[str]] = {}
    index = ""
    for line in listing.splitlines():
        if gpu := re.match(r"GPU (\d+):", line):
            index = gpu.group(1)
            gpus[index] = []
        elif instance := re.search(r"MIG .*\(UUID:\s*(MIG-[^)\s]+)\)", line):
            gpus[index].append(instance.group(1))
    return tuple(name for gpu, instances in gpus.items() for name in (instances or [gpu]))


def available_cores() -> int:
    """The cores that this process may use: its affinity, and its share under a control group (version 2)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        cores = min(cores, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass  # no control group, or no limit ("max")
    return cores
