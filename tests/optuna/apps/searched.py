"""A program whose value is known, and that notes each step that it makes."""

import os
import time
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from hydra_plugins.workstation_launcher import Pruned, report_value


def check(config: DictConfig) -> None:
    """For hydra.launcher.check_job."""
    if config.get("refuse_above") is not None and config.x > config.refuse_above:
        raise ValueError(f"x={config.x} is too much")


def end(directory):
    with open(os.environ["NOTES"], "a") as file:
        file.write(f"end {directory.name}\n")


def size(directory, name):
    return float((directory / name).read_text())


@hydra.main(version_base=None, config_path=None)
def app(config: DictConfig):
    here = Path(HydraConfig.get().runtime.output_dir)
    checkpoint = here / "epoch"
    done = int(checkpoint.read_text()) if checkpoint.exists() else 0
    name = f"x={config.x} kind={config.get('kind')} seed={config.get('seed')}"
    seed = config.get("seed") or 0
    for epoch in range(done + 1, config.get("epochs", 3) + 1):
        with open(os.environ["NOTES"], "a") as file:
            file.write(f"{name} epoch={epoch}\n")
        time.sleep(float(os.environ.get("SLEEP", 0)))
        partial = here / "partial"
        partial.write_text(str(epoch))
        partial.replace(checkpoint)
        if report_value(epoch, abs(config.x - 0.3) + 0.001 * epoch):
            raise Pruned(f"after epoch {epoch}")
    if config.x == "raise" or config.x > config.get("fail_above", 1e9):
        raise ValueError("boom")
    if config.get("objectives") == 2:
        return [abs(config.x - 0.3), abs(config.x - 0.7)]
    (here / "far").write_text(str(abs(config.x - 0.3)))
    return abs(config.x - 0.3) + 0.01 * ((seed * 7919) % 11 - 5) / 5


if __name__ == "__main__":
    app()
