"""A real NVIDIA driver: what is read of it and of ``CUDA_VISIBLE_DEVICES`` is what CUDA itself makes of them."""

import ast
import os
import shutil
import subprocess
import sys
import uuid

import pytest

from hydra_plugins.workstation_launcher._cards import Listing, ask_driver
from hydra_plugins.workstation_launcher._gpus import visible_gpus
from tests.launcher.conftest import App

pytestmark = pytest.mark.skipif(shutil.which("nvidia-smi") is None, reason="needs an NVIDIA driver")

# Without PyTorch, which reads the variable in its own way before CUDA does.
ASK_CUDA = """
import ctypes

cuda, count, found = ctypes.CDLL("libcuda.so.1"), ctypes.c_int(), []
if cuda.cuInit(0) == 0 and cuda.cuDeviceGetCount(ctypes.byref(count)) == 0:
    for number in range(count.value):
        identity = (ctypes.c_ubyte * 16)()
        assert cuda.cuDeviceGetUuid(ctypes.byref(identity), number) == 0
        found.append(bytes(identity).hex())
print(found)
"""


def seen_by_cuda(restriction: str | None) -> list[str]:
    """UUIDs, in CUDA's order."""
    environment = {key: value for key, value in os.environ.items() if key != "CUDA_VISIBLE_DEVICES"}
    if restriction is not None:
        environment["CUDA_VISIBLE_DEVICES"] = restriction
    done = subprocess.run([sys.executable, "-c", ASK_CUDA], env=environment, capture_output=True, text=True, check=True)
    return [f"GPU-{uuid.UUID(found)}" for found in ast.literal_eval(done.stdout)]


@pytest.fixture(scope="module")
def driver() -> Listing:
    listing = ask_driver()
    assert not listing.problem
    if any(card.instances is not None for card in listing.cards) or len({card.model for card in listing.cards}) != 1:
        pytest.skip("needs equal cards that are not split")
    return listing


def test_all_cards_are_those_of_cuda(driver: Listing) -> None:
    assert sorted(card.uuid for card in driver.cards) == sorted(seen_by_cuda(None))


@pytest.mark.parametrize(
    "restriction",
    [
        "", "-1", "NoDevFiles", "0", "00", "+0", " 0 ", "0,99", "99,0", "0,-1", "0,,0", "0,0", "0gpu", "UUID", "SHORT",
        "UUID,UUID", "SHORT,UUID", "UUID,0", "0,UUID", "GPU-none,UUID", "UUID,GPU-none", "UUID ", "GPU-",
    ],
)  # fmt: skip
def test_the_variable_is_read_as_cuda_reads_it(driver: Listing, restriction: str) -> None:
    identity = driver.cards[0].uuid
    restriction = restriction.replace("UUID", identity).replace("SHORT", identity[:12])
    visible = visible_gpus(driver.cards, {"CUDA_VISIBLE_DEVICES": restriction})
    assert [gpu.uuid for gpu in visible.gpus] == seen_by_cuda(restriction)


@pytest.mark.parametrize("restriction", [None, "0"])
def test_a_job_sees_its_own_gpu_alone(app: App, driver: Listing, restriction: str | None) -> None:
    app.environment.pop("CUDA_VISIBLE_DEVICES", None)
    if restriction is not None:
        app.environment["CUDA_VISIBLE_DEVICES"] = restriction
    done = app.run("+do=environment", "hydra.launcher.devices=[0]")
    assert done.returncode == 0, done.stderr
    environment = ast.literal_eval((app.sweep / "0" / "environment").read_text())
    assert seen_by_cuda(environment["CUDA_VISIBLE_DEVICES"]) == [driver.cards[0].uuid]
