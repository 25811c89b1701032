"""A small sweep's files, and commands as a user meets them: real processes, where torch cannot be imported."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.synthetic_sweep import write_sweep

# Run by the interpreter at its start: whatever imports torch ends there.
_NO_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision"):
            raise ImportError(f"{name}: not in this environment")

sys.meta_path.insert(0, NoTorch())
"""

RunPython = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def without_torch(tmp_path: Path) -> RunPython:
    """Runs ``python arguments`` in ``tmp_path``, where importing torch fails; keywords are environment variables."""
    folder = tmp_path / "without_torch"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_NO_TORCH)
    search = os.pathsep.join([str(folder), str(REPOSITORY)])

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": search, **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.fixture
def rnn_mnist(without_torch: RunPython) -> RunPython:
    """Runs ``rnn-mnist arguments`` in ``tmp_path``, where importing torch fails."""
    return lambda *arguments, **environment: without_torch("-m", "rnn_mnist", *arguments, **environment)


@pytest.fixture(scope="session")
def _written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("outputs") / "depth"
    directory.mkdir()
    write_sweep(directory, {"model.num_layers": [1, 2]}, seeds=range(3), states={1: "failed"})
    return directory


@pytest.fixture
def depth(_written: Path, tmp_path: Path) -> Path:
    """Two depths, three seeds, one failed run; a copy of its own for each test."""
    return shutil.copytree(_written, tmp_path / "outputs" / "depth")


@pytest.fixture
def early(tmp_path: Path) -> Path:
    """A sweep of which no run is completed yet: one has failed, one is running."""
    directory = tmp_path / "early"
    directory.mkdir()
    write_sweep(directory, {"model.num_layers": [1, 2]}, seeds=[0], states={0: "failed", 1: "running"})
    return directory
