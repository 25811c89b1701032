"""A program whose modules seed every generator, and draw."""

import random

import hydra
import numpy as np
import rich.style  # noqa: F401 - draws a number when it is imported, by whoever is first
import seeding_module  # noqa: F401 - it seeds
import torch
from facts import keep
from omegaconf import DictConfig

np.random.seed(7)
np.random.shuffle(np.arange(60_000))
torch.manual_seed(7)
torch.rand(3)
generator = np.random.default_rng(7)
long_seed = np.random.default_rng(251_431_515_889_672_344_286_239_847_619_234_998_719)
own = random.Random(7)


@hydra.main(version_base=None, config_path=None)
def app(_: DictConfig) -> None:
    keep(
        python=random.random(),
        numpy=np.random.random(),
        torch=torch.rand(1).item(),
        generator=generator.random(),
        long_seed=long_seed.random(),
        own=own.random(),
    )


if __name__ == "__main__":
    app()
