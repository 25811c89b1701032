"""What is made of a driver's answer, of none, and of drivers that hang, crash or talk nonsense."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.launcher.fake_nvml import ROOT, SPLIT, fake_driver

ASK = """
import json, logging, sys
from dataclasses import asdict
from hydra_plugins.workstation_launcher import _cards

logging.basicConfig(stream=sys.stderr, level="INFO", format="%(message)s")
_cards._PATIENCE_SECONDS, _cards._LIMIT_SECONDS = map(float, sys.argv[1:])
print(json.dumps(asdict(_cards.ask_driver())))
assert _cards.ask_driver() is _cards.ask_driver()
assert not {"torch", "pynvml"} & set(sys.modules)
"""


def listing(driver: dict[str, str], patience: float = 5, limit: float = 60) -> tuple[dict[str, Any], str]:
    """What an asking process finds, and what it says meanwhile."""
    asked = subprocess.run(
        [sys.executable, "-c", ASK, str(patience), str(limit)],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | driver,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert asked.returncode == 0, asked.stderr
    content: dict[str, Any] = json.loads(asked.stdout)
    return content, asked.stderr


def test_cards_split_and_lost(tmp_path: Path) -> None:
    cards = [*SPLIT, {"uuid": "GPU-cccc", "lost": True}, {"bytes": "ff47"}, {"uuid": "GPU-a,b"}]
    found, said = listing(fake_driver(tmp_path, cards))
    assert [card["uuid"] for card in found["cards"]] == ["GPU-aaaa", "GPU-bbbb", "", "", ""]
    assert found["cards"][0]["instances"] == ["MIG-1111", "MIG-2222"]
    assert found["cards"][1]["instances"] is None
    assert found["cards"][2]["problem"] == "GPU is lost"
    assert "UUID" in found["cards"][3]["problem"]
    assert (found["problem"], said) == ("", "")


def test_no_driver_is_no_problem_and_one_that_fails_is(tmp_path: Path) -> None:
    assert listing(fake_driver(tmp_path, fails="absent")) == ({"cards": [], "problem": ""}, "")
    assert listing(fake_driver(tmp_path, fails="Unknown Error"))[0] == {"cards": [], "problem": "Unknown Error"}


def test_a_driver_that_hangs_is_left(tmp_path: Path) -> None:
    found, said = listing(fake_driver(tmp_path, fails="hangs"), patience=0.2, limit=1)
    assert found == {"cards": [], "problem": "no answer in 1.0 s"}
    assert "asking NVIDIA's driver" in said


LIBRARY = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static const char *how(void) { return getenv("FAKE_NVML"); }
int nvmlInitWithFlags(unsigned flags) {
    puts("{\"cards\": 3}");  /* words of its own */
    fflush(stdout);
    if (!strcmp(how(), "crash")) abort();
    return !strcmp(how(), "mismatch") ? 18 : 0;
}
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) { *handle = (void *)(size_t)(index + 1); return 0; }
int nvmlDeviceGetUUID(void *handle, char *text, unsigned size) {
    snprintf(text, size, (size_t)handle == 1 ? "GPU-aaaa" : "GPU-\xff");
    return 0;
}
int nvmlDeviceGetName(void *handle, char *text, unsigned size) { snprintf(text, size, "NVIDIA \xff"); return 0; }
int nvmlDeviceGetMigMode(void *handle, unsigned *now, unsigned *then) { return 3; }
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_the_library_itself_with_bytes_that_are_no_text_and_one_that_crashes(tmp_path: Path) -> None:
    (tmp_path / "nvml.c").write_text(LIBRARY)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", "libnvidia-ml.so.1", "nvml.c"], cwd=tmp_path, check=True)
    environment = {"LD_LIBRARY_PATH": str(tmp_path)}
    found, _ = listing(environment | {"FAKE_NVML": "fine"})
    assert [(card["uuid"], card["model"]) for card in found["cards"]] == [("GPU-aaaa", ""), ("", "")]
    found, _ = listing(environment | {"FAKE_NVML": "crash"})
    assert found == {"cards": [], "problem": "the process that asks it ended with status -6"}
    found, _ = listing(environment | {"FAKE_NVML": "mismatch"})
    assert "version mismatch" in found["problem"]
