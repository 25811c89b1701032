"""On what and how exactly a run computes: device, threads, precision, determinism."""

import gc
import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from rnn_mnist.configuration.resolution import ConfigError
from rnn_mnist.configuration.schema import Config, Precision, TrainingConfig
from rnn_mnist.errors import ExpectedError
from rnn_mnist.network.cudnn import CudnnCall
from rnn_mnist.training.allocator import keep_freed_memory

# What PyTorch says where it has no class for it: the allocators of CPU and MPS, cuDNN, cuBLAS.
_OUT_OF_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory|ALLOC_FAILED", re.IGNORECASE)


class MemoryExhaustedError(ExpectedError):
    """The device, or this machine, has no room for what the configuration asks for."""


def resolve_device(name: str) -> torch.device:
    """The device that ``training.device`` names.

    Raises:
        ConfigError: if this machine (or this build of PyTorch) does not have it.
    """
    if name == "auto":
        if torch.cuda.is_available():
            name = "cuda"
        elif torch.backends.mps.is_available():
            name = "mps"
        else:
            name = "cpu"
    device = torch.device(name)
    if device.type == "cuda":
        visible = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= visible:
            have = f"{visible} CUDA device(s)" if visible else "no CUDA device"
            raise ConfigError(f"training.device={name}: PyTorch sees {have} here; allowed: auto, cpu")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("training.device=mps: PyTorch sees no Apple GPU here; allowed: auto, cpu")
    return device


def describe_device(device: torch.device) -> str:
    """What a manifest calls the device."""
    return f"{device.type}: {torch.cuda.get_device_name(device)}" if device.type == "cuda" else device.type


@contextmanager
def execution(config: Config, device: torch.device) -> Iterator[None]:
    """Process-wide switches as ``config.training`` wants them, put back afterwards where they can be.

    What cannot be put back is ``training.keep_memory``.
    """
    with ExitStack() as stack:
        # A saturated tanh RNN fills with denormal numbers, below 1e-38, which a CPU handles in microcode: epochs became
        # 2.7 times as slow. Taken as zero they cost nothing, and the metrics stayed the same to all digits shown.
        torch.set_flush_denormal(True)
        stack.callback(lambda: torch.set_flush_denormal(False))
        if config.training.keep_memory and device.type == "cpu":
            keep_freed_memory()
        if config.training.threads is not None:
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(config.training.threads)
        if device.type == "cuda":
            _set_cuda_precision(config.training, stack)
            # It is refused before CUDA has begun, for a device by number at least (pytorch/pytorch#72404).
            torch.cuda.init()  # type: ignore[no-untyped-call]
            if torch.cuda.memory_allocated(device):
                # Optimizers and schedules of torch.optim refer to themselves, so that what an earlier run in this
                # process allocated stays until Python looks for cycles; it would count into this run's peak.
                gc.collect()
            torch.cuda.reset_peak_memory_stats(device)
        if config.training.deterministic:
            _set_deterministic(device, stack)
        if device.type == "cuda" and _cudnn_misleads(config) and not CudnnCall.can_call(config.model):
            # PyTorch's own, slower, kernels take its place.
            _set(stack, torch.backends.cudnn, "enabled", value=False)
        yield


@contextmanager
def out_of_memory_as_error() -> Iterator[None]:
    """One line instead of an allocator's report, and what the failed step had allocated let go.

    Raises:
        MemoryExhaustedError: in place of PyTorch's and Python's own errors.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:  # torch.OutOfMemoryError is a RuntimeError
        message = str(error)
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and not _OUT_OF_MEMORY.search(message):
            raise
        # An error that is kept, as Hydra keeps that of each job, would keep every tensor of the frames that it went
        # through, and the runs that follow in this process would run out of memory too.
        traceback.clear_frames(error.__traceback__)
        raise MemoryExhaustedError(
            f"out of memory{_amount(message)}; a smaller training.batch_size, training.evaluation_batch_size, "
            "model.hidden_size or model.num_layers needs less"
        ) from error


def _amount(message: str) -> str:
    """What an allocator says that it was asked for: ``(20.0 GiB asked for at once)``."""
    asked = re.search(r"tried to allocate ([\d.]+) (bytes|[KMG]iB)", message, re.IGNORECASE)
    if asked is None:
        return ""
    number, unit = float(asked[1]), asked[2]
    if unit == "bytes":
        number, unit = number / 2**30, "GiB"
    return f" ({number:,.1f} {unit} asked for at once)"


def autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """bfloat16 where PyTorch deems it safe, if ``precision`` is ``bf16``; else no change."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == Precision.bf16)


def peak_memory_mib(device: torch.device) -> float | None:
    """Peak memory, MiB: on a GPU what PyTorch allocated there in this run, else what the process held resident.

    The latter includes whatever the process did before. None where the system does not tell (Windows).
    """
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 2**20, 1)
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)  # macOS counts bytes, Linux KiB


def _set_cuda_precision(training: TrainingConfig, stack: ExitStack) -> None:
    # PyTorch lets cuDNN round to TF32 by default, so that fp32 has to be asked for as well.
    wanted = "tf32" if training.precision == Precision.tf32 else "ieee"
    backends: tuple[Any, ...] = (torch.backends.cuda.matmul, torch.backends.cudnn.rnn)
    for backend in backends:
        _set(stack, backend, "fp32_precision", value=wanted)


def needs_own_cudnn_call(config: Config, device: torch.device) -> bool:
    """Whether cuDNN has to be called by :class:`~rnn_mnist.network.cudnn.CudnnCall`, which says when, and can be."""
    return device.type == "cuda" and _cudnn_misleads(config) and CudnnCall.can_call(config.model)


def _cudnn_misleads(config: Config) -> bool:
    """Where cuDNN, as PyTorch's modules call it, would not do what the configuration says."""
    return config.training.precision == Precision.bf16 or config.model.dropout > 0


def _set(stack: ExitStack, owner: Any, name: str, *, value: Any) -> None:
    stack.callback(setattr, owner, name, getattr(owner, name))
    setattr(owner, name, value)


def _set_deterministic(device: torch.device, stack: ExitStack) -> None:
    was_on, was_warning = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    # It imports PyTorch's compiler, for seconds: a Ctrl-C meanwhile leaves a half that cannot be asked to undo it.
    torch.use_deterministic_algorithms(True, warn_only=True)
    stack.callback(torch.use_deterministic_algorithms, was_on, warn_only=was_warning)
    # Otherwise every torch.empty is filled, so that reading it by mistake is reproducible: an LSTM's step takes a tenth
    # longer for it, and nothing here reads what it has not written.
    _set(stack, torch.utils.deterministic, "fill_uninitialized_memory", value=False)
    if device.type == "cuda":
        # Read when the first cuBLAS handle is made (docs.pytorch.org, "Reproducibility").
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
