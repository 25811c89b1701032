"""Ways to run the programs of ``apps`` under each launcher, and to read what their jobs leave."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.launcher.conftest import ROOT, heed_ctrl_c

APPS = Path(__file__).parent / "apps"
LAUNCHERS = {
    "basic": ["hydra/launcher=basic"],
    "fork": ["hydra/launcher=workstation"],
    "spawn": ["hydra/launcher=workstation", "hydra.launcher.start_method=spawn"],
}


class Programs:
    """Runs programs in a folder; the sweep under a launcher is the folder of its name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def command(self, app: str, launcher: str, *overrides: str, way: list[str] | None = None) -> list[str]:
        own = [] if launcher == "basic" else ["hydra.launcher.jobs_per_device=2"]
        return [
            sys.executable, *(way or [str(APPS / f"{app}.py")]), "-m", *LAUNCHERS[launcher],
            f"hydra.sweep.dir={launcher}", *own, *overrides,
        ]  # fmt: skip

    def environment(self, **variables: str) -> dict[str, str]:
        return os.environ | {"PYTHONPATH": f"{ROOT}:{APPS}", "HERE": str(self.folder)} | variables

    def run(
        self, app: str, launcher: str, *overrides: str, way: list[str] | None = None, stdin: str = "", **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(app, launcher, *overrides, way=way),
            cwd=self.folder,
            env=self.environment(**variables),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self, app: str, launcher: str, *overrides: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.command(app, launcher, *overrides),
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=heed_ctrl_c,
        )

    def interrupt(self, app: str, launcher: str, *overrides: str, when: Callable[[], object]) -> str:
        """Ctrl-C at a moment; what the command has printed."""
        process = self.start(app, launcher, *overrides)
        when()
        process.send_signal(signal.SIGINT)
        return process.communicate(timeout=60)[0]

    def facts(self, launcher: str) -> list[dict[str, Any]]:
        """What the jobs have kept, by their number."""
        return [json.loads(path.read_text()) for path in sorted((self.folder / launcher).glob("*/facts.json"))]

    def status(self, launcher: str, number: int = 0) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / launcher / str(number) / "status.json").read_text())
        return content
