"""A program that seeds nothing, and draws at the level of its module too."""

import random

import hydra
import numpy as np
import torch
from facts import keep
from omegaconf import DictConfig

random.random(), np.random.random(), torch.rand(3)
generator = np.random.default_rng()
old = np.random.RandomState()
own = random.Random()


@hydra.main(version_base=None, config_path=None)
def app(_: DictConfig) -> None:
    keep(
        python=random.random(),
        numpy=np.random.random(),
        torch=torch.rand(1).item(),
        generator=generator.random(),
        old=old.random_sample(),
        own=own.random(),
    )


if __name__ == "__main__":
    app()
