"""Which NVIDIA cards there are, as their driver says it: asked in a process of its own, through NVML.

A driver that hangs or crashes, and whatever it starts, stays in that process. NVML is not CUDA, which is never started
here: a process that has started it cannot be forked. This file is also the program of that process, and then imports
nothing of Hydra.
"""

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

log = logging.getLogger("hydra_plugins.workstation_launcher")

_PATIENCE_SECONDS = 2
"""After which it is said what is waited for."""
_LIMIT_SECONDS = 15
"""Without NVIDIA's persistence daemon the driver wakes one card after another, a second or two each."""

_UUID = re.compile(r"(?:GPU|MIG)-[\w/-]+", re.ASCII)


@dataclass(frozen=True)
class Card:
    """One graphics card, at its place in the order of ``nvidia-smi``."""

    uuid: str
    """``GPU-…``; empty if the driver does not tell."""
    model: str
    instances: tuple[str, ...] | None = None
    """UUIDs of the MIG instances that it is split into, for it cannot be used whole then; None if it is not split."""
    problem: str = ""
    """Why it cannot be used, if it cannot."""


@dataclass(frozen=True)
class Listing:
    """What the driver says."""

    cards: tuple[Card, ...] = ()
    problem: str = ""
    """Why it says nothing, if there is a driver and it fails."""


@cache
def ask_driver() -> Listing:
    """The cards of this machine, whatever ``CUDA_VISIBLE_DEVICES`` says; none where there is no driver.

    Asked once in a process: 0.05 s without a driver.
    """
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).resolve())],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        return Listing(problem=f"the process that asks it does not start: {error.strerror}")
    try:
        printed = _output(process)
    except subprocess.TimeoutExpired:
        return Listing(problem=f"no answer in {_LIMIT_SECONDS} s")
    finally:
        process.kill()  # without waiting for it: in a driver that hangs it does not die
    return _read(printed) or Listing(problem=f"the process that asks it ended with status {process.returncode}")


def _output(process: "subprocess.Popen[bytes]") -> bytes:
    try:
        return process.communicate(timeout=_PATIENCE_SECONDS)[0]
    except subprocess.TimeoutExpired:
        log.info("asking NVIDIA's driver which GPUs there are (for at most %d s)", _LIMIT_SECONDS)
        return process.communicate(timeout=_LIMIT_SECONDS - _PATIENCE_SECONDS)[0]


def _read(printed: bytes) -> Listing | None:
    for line in reversed(printed.decode(errors="replace").splitlines()):
        try:
            content = json.loads(line)
            cards = tuple(
                Card(card["uuid"], card["model"], card["instances"] and tuple(card["instances"]), card["problem"])
                for card in content["cards"]
            )
            return Listing(cards, content["problem"])
        except (ValueError, KeyError, TypeError):
            continue  # the driver's own words
    return None


def _ask() -> Listing:
    try:
        import pynvml
    except ImportError as error:
        return Listing(problem=f"{error} (the distribution nvidia-ml-py has it)")
    try:
        pynvml.nvmlInit()
        return Listing(tuple(_card(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount())))
    except pynvml.NVMLError_LibraryNotFound:
        return Listing()
    except pynvml.NVMLError as error:
        return Listing(problem=str(error))


def _card(nvml: Any, index: int) -> Card:
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        uuid = _uuid(nvml, handle)
    except nvml.NVMLError as error:
        return Card("", "", problem=str(error))
    if uuid is None:
        return Card("", "", problem="it has no UUID that can be read")
    model = _model(nvml, handle)
    try:
        is_split = nvml.nvmlDeviceGetMigMode(handle)[0] == nvml.NVML_DEVICE_MIG_ENABLE
        return Card(uuid, model, _instances(nvml, handle) if is_split else None)
    except nvml.NVMLError:  # the mode is "not supported" by most cards
        return Card(uuid, model)


def _instances(nvml: Any, card: Any) -> tuple[str, ...]:
    found: list[str] = []
    for place in range(nvml.nvmlDeviceGetMaxMigDeviceCount(card)):
        try:
            uuid = _uuid(nvml, nvml.nvmlDeviceGetMigDeviceHandleByIndex(card, place))
        except nvml.NVMLError:
            continue  # a place that is not taken, or an instance that is being removed
        if uuid is not None:
            found.append(uuid)
    return tuple(found)


def _model(nvml: Any, handle: Any) -> str:
    try:
        return _text(lambda: nvml.nvmlDeviceGetName(handle))
    except nvml.NVMLError:
        return ""


def _uuid(nvml: Any, handle: Any) -> str | None:
    uuid = _text(lambda: nvml.nvmlDeviceGetUUID(handle))
    return uuid if _UUID.fullmatch(uuid) else None


def _text(call: Callable[[], str]) -> str:
    """What a call of NVML returns, or nothing if its bytes are no text."""
    try:
        return call()
    except UnicodeDecodeError:
        return ""


if __name__ == "__main__":
    # A single write, below what the driver may have printed; and away, whatever it has started.
    os.write(1, b"\n" + json.dumps(asdict(_ask())).encode() + b"\n")
    os._exit(0)
