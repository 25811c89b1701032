"""A driver of the test's own: a module ``pynvml`` in a folder that comes first on the path, and the cards it has."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

_MODULE = """
import json, time
from pathlib import Path

NVML_DEVICE_MIG_ENABLE = 1
DRIVER = json.loads(Path(__file__).with_name("driver.json").read_text())


class NVMLError(Exception):
    pass


class NVMLError_LibraryNotFound(NVMLError):
    pass


def nvmlInit():
    if DRIVER["fails"] == "absent":
        raise NVMLError_LibraryNotFound("NVML Shared Library Not Found")
    if DRIVER["fails"] == "hangs":
        time.sleep(60)
    if DRIVER["fails"]:
        raise NVMLError(DRIVER["fails"])


def nvmlDeviceGetCount():
    return len(DRIVER["cards"])


def nvmlDeviceGetHandleByIndex(index):
    card = DRIVER["cards"][index]
    if card.get("lost"):
        raise NVMLError("GPU is lost")
    return card


def nvmlDeviceGetUUID(card):
    return bytes.fromhex(card["bytes"]).decode() if "bytes" in card else card["uuid"]


def nvmlDeviceGetName(card):
    return card.get("model", "NVIDIA H200")


def nvmlDeviceGetMigMode(card):
    if "instances" not in card:
        raise NVMLError("Not Supported")
    return [1, 1]


def nvmlDeviceGetMaxMigDeviceCount(card):
    return 7


def nvmlDeviceGetMigDeviceHandleByIndex(card, place):
    if place >= len(card["instances"]) or card["instances"][place] is None:
        raise NVMLError("Not Found")
    return {"uuid": card["instances"][place]}
"""

TWO_GPUS: list[dict[str, Any]] = [{"uuid": "GPU-aaaa"}, {"uuid": "GPU-bbbb"}]
SPLIT: list[dict[str, Any]] = [
    {"uuid": "GPU-aaaa", "instances": ["MIG-1111", None, "MIG-2222"]},
    {"uuid": "GPU-bbbb"},
]


def fake_driver(folder: Path, cards: Sequence[dict[str, Any]] = (), *, fails: str = "") -> dict[str, str]:
    """An environment in which NVML lists cards, is ``absent``, ``hangs``, or fails with a message."""
    folder.mkdir(exist_ok=True)
    (folder / "pynvml.py").write_text(_MODULE)
    (folder / "driver.json").write_text(json.dumps({"cards": list(cards), "fails": fails}))
    return {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
