"""The counting program of ``apps``, run on a cluster and read from its folder."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.launcher.conftest import ROOT, heed_ctrl_c

_APP = Path(__file__).parent / "apps" / "counting.py"


class Counting:
    """The program in a folder of its own."""

    def __init__(self, folder: Path, launcher: str, environment: Mapping[str, str], *own: str) -> None:
        """``own``: overrides for that launcher."""
        self.folder, self.sweep = folder, folder / "sweep"
        self._launcher, self._own, self._environment = launcher, own, environment

    def start(self, *overrides: str, launcher: str | None = None) -> "subprocess.Popen[str]":
        own = self._own if launcher is None else ()
        return subprocess.Popen(
            [
                sys.executable, str(_APP), "-m", f"hydra/launcher={launcher or self._launcher}",
                "hydra.sweep.dir=sweep", *own, *overrides,
            ],
            cwd=self.folder,
            env={**os.environ, **self._environment, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=heed_ctrl_c,
        )  # fmt: skip

    def run(self, *overrides: str, launcher: str | None = None) -> tuple[int, str]:
        process = self.start(*overrides, launcher=launcher)
        output, _ = process.communicate(timeout=150)
        return process.returncode, output

    def status(self, job: int) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads((self.sweep / str(job) / "status.json").read_text())
        except FileNotFoundError:
            return {}
        return content

    def states(self, jobs: int) -> list[str]:
        return [self.status(job).get("state", "") for job in range(jobs)]

    def begun(self, job: int) -> list[int]:
        """The steps at which the task has begun, attempt by attempt."""
        try:
            return [int(line) for line in (self.sweep / str(job) / "begun").read_text().split()]
        except FileNotFoundError:
            return []


def counted(x: int, steps: int) -> float:
    """What the program returns."""
    value = float(x)
    for step in range(steps):
        value = value * 1.1 + step
    return value
