"""A small sweep's files, and commands as a user meets them: processes where torch cannot be imported, and this one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rnn_mnist.__main__ import main
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
def process(without_torch: RunPython) -> RunPython:
    """Runs ``rnn-mnist arguments`` in ``tmp_path``, where importing torch fails."""
    return lambda *arguments, **environment: without_torch("-m", "rnn_mnist", *arguments, **environment)


@pytest.fixture
def rnn_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunPython:
    """Runs ``rnn-mnist arguments`` in ``tmp_path``, in this process; keywords are environment variables."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            try:
                code: int | str | None = main(arguments)
            except SystemExit as ended:
                code = ended.code
        printed = capsys.readouterr()
        assert code is None or isinstance(code, int)
        return subprocess.CompletedProcess(arguments, code or 0, printed.out, printed.err)

    return run


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
