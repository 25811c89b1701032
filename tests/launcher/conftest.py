"""A minimal application that knows nothing of this project, and ways to run it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

APP = """
import ctypes, os, random, signal, sys, time
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig


def note(text):
    with open(os.environ["NOTES"], "a") as file:
        file.write(text + "\\n")


@hydra.main(version_base=None, config_path=None)
def app(config: DictConfig):
    do = config.get("do", "ok")
    note(f"{do} {config.get('x')}")
    here = Path(HydraConfig.get().runtime.output_dir)
    if do == "raise":
        raise ValueError("boom")
    if do == "exit":
        sys.exit(3)
    if do == "exit0":
        sys.exit(0)
    if do == "_exit":
        os._exit(7)
    if do == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if do == "segfault":
        ctypes.string_at(0)
    if do == "memory":
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
        bytearray(2**33)
    if do == "hang":
        while True:
            ctypes.PyDLL(None).sleep(600)  # holds the interpreter's lock
    if do == "die_once" and not (here / "died").exists():
        (here / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if do in ("wait", "stubborn"):
        os.system("sleep 300 &")
        (here / "waiting").touch()
        try:
            time.sleep(300)
        except KeyboardInterrupt:
            (here / "checkpoint").touch()
            if do == "stubborn":
                time.sleep(300)
            raise
    if do == "environment":
        (here / "environment").write_text(repr(dict(os.environ)))
    if do == "random":
        return random.random()
    if do == "object":
        return Path("/a/path")
    return config.get("x")


if __name__ == "__main__":
    app()
"""


def heed_ctrl_c() -> None:
    """A shell makes what it starts in the background deaf to Ctrl-C, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def processes_that_know(path: Path) -> list[str]:
    """Command lines of the living processes that have a path in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            if str(path) in (entry / "environ").read_text(errors="replace"):
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return [line for line in found if line]


class App:
    """The application in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.sweep = folder, folder / "sweep"
        self.notes = folder / "notes"
        self.notes.touch()
        (folder / "app.py").write_text(APP)
        self.environment = os.environ | {
            "PYTHONWARNINGS": "ignore::UserWarning",
            "NOTES": str(self.notes),
            "PYTHONPATH": str(ROOT),
        }

    def command(self, *overrides: str, launcher: str = "workstation") -> list[str]:
        return [
            sys.executable, "app.py", "-m", f"hydra/launcher={launcher}", f"hydra.sweep.dir={self.sweep}", *overrides,
        ]  # fmt: skip

    def run(self, *overrides: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*overrides),
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self, *overrides: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.command(*overrides),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=heed_ctrl_c,
        )

    def status(self, job: str | int) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.sweep / str(job) / "status.json").read_text())
        return content

    def ran(self) -> list[str]:
        """What the app did, job by job, over all commands."""
        return self.notes.read_text().splitlines()

    def processes(self) -> list[str]:
        """Command lines of the processes that this folder's sweeps have started and that still live."""
        return processes_that_know(self.notes)


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(tmp_path)


@pytest.fixture
def wait_for() -> Callable[..., None]:
    """Wait until a condition holds, or fail."""
    import time

    def wait(condition: Callable[[], object], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.02)

    return wait
