"""The real configuration and the real MNIST, small enough to be quick."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from hydra.version import VersionBase

from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.configuration.resolution import Resolved
from rnn_mnist.data.images import DataSet, load_data_set

REPOSITORY = Path(__file__).parent.parent

# A shell makes what it starts in the background deaf to Ctrl-C, and children inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# One run of these takes a second; all else is as conf/ has it.
SMALL = (
    "model.hidden_size=8",
    "data.train_fraction=0.01",
    "training.threads=1",
)
# A sweep of such runs, which draws nothing.
SMALL_SWEEP = (*SMALL, "hydra.launcher.on_sweep_end=null")

CommandLine = Callable[..., subprocess.CompletedProcess[str]]

# What makes a test take seconds: processes that it starts, networks that it trains, whole sets of figures.
_SLOW_FIXTURES = {"command", "without_torch", "wheel", "site"}
_SLOW_NAMES = {"subprocess", "start", "Trainer", "train_run", "default_figures"}
_SLOW_FOLDERS = {"launcher", "docs"}
_SLOW_TESTS = {"test_a_study", "test_many_processes_may_fetch_at_once", "test_the_snippet_reproduces_the_predictions"}


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is ``fast``: all but slow tests and what the lists above name."""
    for item in items:
        assert isinstance(item, pytest.Function)
        slow = (
            item.get_closest_marker("slow")
            or _SLOW_FIXTURES & set(item.fixturenames)
            or _SLOW_NAMES & vars(item.module).keys()
            or _SLOW_FOLDERS & set(item.path.parts)
            or item.originalname in _SLOW_TESTS
        )
        if not slow:
            item.add_marker("fast")


@pytest.fixture(scope="session")
def mnist_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this session unpacks MNIST; the user's own cache stays untouched."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(autouse=True)
def _isolated(mnist_root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Data from this session's folder, one thread, and Hydra's global state after each test as it was before."""
    torch.set_num_threads(1)  # networks this small only wait for a second one
    monkeypatch.setenv("RNN_MNIST_DATA", str(mnist_root))
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    monkeypatch.setattr(VersionBase.instance(), "version_base", VersionBase.instance().version_base)
    yield
    GlobalHydra.instance().clear()


@pytest.fixture(scope="session")
def mnist(mnist_root: Path) -> DataSet:
    return load_data_set("mnist", mnist_root)


def small(*overrides: str) -> Resolved:
    """The composed and checked configuration, made small, with the given overrides on top."""
    return compose_checked([*SMALL, *overrides])


def start(module: str, *arguments: str, cwd: Path) -> subprocess.Popen[str]:
    """``python -m module arguments`` in ``cwd``, as a user types it."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    )


@pytest.fixture
def command(tmp_path: Path) -> CommandLine:
    """Runs ``python -m module arguments`` in an empty folder and returns its exit code and what it printed."""

    def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        process = start(module, *arguments, cwd=tmp_path)
        stdout, stderr = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    return run
