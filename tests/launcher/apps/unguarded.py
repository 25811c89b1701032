"""A program that calls its task function whenever it is imported."""

import hydra
from facts import keep
from omegaconf import DictConfig


@hydra.main(version_base=None, config_path=None)
def app(config: DictConfig) -> None:
    keep(x=config.x)


app()
