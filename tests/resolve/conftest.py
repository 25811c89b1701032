"""An application that knows nothing of this project, and multiruns of it in this process or in one of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY

APP = """
import os, random, time
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig


def made(directory):
    return float((directory / "value").read_text())


def end(directory):
    with open(os.environ["NOTES"], "a") as file:
        file.write(f"end {directory.name}\\n")


@hydra.main(version_base=None, config_path=None)
def app(config: DictConfig):
    with open(os.environ["NOTES"], "a") as file:
        file.write(f"{config.x} {config.get('y')} {config.seed}\\n")
    time.sleep(float(os.environ.get("SLEEP", 0)))
    shared = random.Random(config.seed).gauss(0, 1)
    own = random.Random(f"{config.seed} {config.x} {config.get('y')}").gauss(0, 0.3)
    if config.x == "fragile" and config.seed % 4 == 1:
        raise ValueError("diverged")
    if config.x == "broken":
        raise ValueError("broken")
    if config.get("write") and (config.x, config.seed) != ("base", 2):
        value = "nan" if (config.x, config.seed) == ("good", 1) else str(shared + (config.x == "good") * 5 + own)
        (Path(HydraConfig.get().runtime.output_dir) / "value").write_text(value)
    if config.get("constant"):
        return {"base": 0, "same": 0, "good": 1}[config.x]
    return {"base": 0, "same": 0, "good": 3, "bad": -3, "fragile": 6}[config.x] + shared + own


if __name__ == "__main__":
    app()
"""


class App:
    """The application in a folder of its own, whose multiruns are resolved."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.sweep, self.notes = folder, folder / "sweep", folder / "notes"
        folder.mkdir(exist_ok=True)
        self.notes.touch()
        (folder / "resolved_app.py").write_text(APP)
        path = os.pathsep.join([str(REPOSITORY), str(folder)])
        # Hydra 1.4 warns of the version_base that 1.3 wants, before anything of ours is printed.
        quiet = {"PYTHONWARNINGS": "ignore::UserWarning"}
        self.environment = os.environ | quiet | {"NOTES": str(self.notes), "PYTHONPATH": path}

    def command(self, *overrides: str, launcher: str = "workstation") -> list[str]:
        return [
            *(sys.executable, "resolved_app.py", "-m", "hydra/sweeper=resolve", f"hydra/launcher={launcher}"),
            *(f"hydra.sweep.dir={self.sweep}", "hydra.sweeper.seed_key=+seed", *overrides),
        ]

    def run(self, *overrides: str, launcher: str = "workstation") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*overrides, launcher=launcher),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def ran(self) -> list[str]:
        """Setting and seed of each job that was started, and what hooks noted."""
        return self.notes.read_text().splitlines()

    def record(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.sweep / "resolve.json").read_text())
        return content

    def verdicts(self) -> dict[str, str]:
        """Of each contrast, as the latest look has them."""
        return {f"{row['factor']}={row['level']}": row["verdict"] for row in self.record()["looks"][-1]["contrasts"]}

    def seeds(self, level: str) -> Sequence[int]:
        """Those with which a level of x ran."""
        return sorted(int(line.split()[2]) for line in self.ran() if line.startswith(f"{level} "))


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(tmp_path)
