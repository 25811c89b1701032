"""A program whose task changes the working directory."""

import os
from pathlib import Path

import hydra
from facts import keep
from omegaconf import DictConfig


@hydra.main(version_base=None, config_path=None)
def app(_: DictConfig) -> str:
    before = Path.cwd()
    os.chdir("/")
    keep(before=before.name, original=hydra.utils.get_original_cwd())
    return "gone"


if __name__ == "__main__":
    app()
