"""A program that knows nothing of launchers, with a checkpoint after each step."""

import json
import time
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig


@hydra.main(version_base=None, config_path=None)
def app(config: DictConfig) -> float:
    here = Path(HydraConfig.get().runtime.output_dir)
    checkpoint = here / "checkpoint.json"
    value, step = json.loads(checkpoint.read_text()) if checkpoint.exists() else (float(config.x), 0)
    with (here / "begun").open("a", encoding="utf-8") as file:
        file.write(f"{step}\n")
    while step < config.steps:
        value, step = value * 1.1 + step, step + 1
        (here / "new").write_text(json.dumps([value, step]))
        (here / "new").replace(checkpoint)
        time.sleep(config.pause)
    return value


if __name__ == "__main__":
    app()
