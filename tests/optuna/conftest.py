"""An application that knows nothing of this project, searched in a process of its own."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hydra.core.plugins import Plugins

from tests.conftest import REPOSITORY

# Before Hydra's own fixtures, which forget what plugins have registered within a test.
Plugins.instance()

APP = REPOSITORY / "tests" / "optuna" / "apps" / "searched.py"


class App:
    """The application in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.sweep, self.notes = folder, folder / "sweep", folder / "notes"
        self.notes.touch()
        (folder / "searched.py").write_text(APP.read_text())
        path = os.pathsep.join([str(REPOSITORY), str(folder), os.environ.get("PYTHONPATH", "")])
        # Hydra 1.4 warns of the version_base that 1.3 wants, before anything of ours is printed.
        quiet = {"PYTHONWARNINGS": "ignore::UserWarning"}
        self.environment = os.environ | quiet | {"NOTES": str(self.notes), "PYTHONPATH": path}

    def command(self, *overrides: str, launcher: str = "workstation", sweeper: str = "optuna") -> list[str]:
        searches = ["hydra.sweeper.seed=1"] if sweeper == "optuna" else []
        own = ["hydra.launcher.jobs_per_device=2"] if launcher == "workstation" else []
        return [
            *(sys.executable, "searched.py", "-m", f"hydra/sweeper={sweeper}", f"hydra/launcher={launcher}", *own),
            *(f"hydra.sweep.dir={self.sweep}", *searches, *overrides),
        ]

    def run(
        self, *overrides: str, launcher: str = "workstation", sweeper: str = "optuna", **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*overrides, launcher=launcher, sweeper=sweeper),
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def start(self, *overrides: str, **environment: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self.command(*overrides),
            cwd=self.folder,
            env=self.environment | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def steps(self) -> Counter[str]:
        """How often each epoch of each run was made, over all commands."""
        return Counter(self.notes.read_text().splitlines())

    def trials(self) -> list[Any]:
        """As Optuna reads them from the journal."""
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        storage = JournalStorage(JournalFileBackend(str(self.sweep / "optuna.journal")))
        return optuna.load_study(study_name="search", storage=storage).trials

    def statuses(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted(self.sweep.glob("*/status.json"))]

    def answer(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.sweep / "search.json").read_text())
        return content


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(tmp_path)
