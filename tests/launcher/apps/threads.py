"""A program that starts threads when it is imported."""

import os
import threading
import time

import hydra
import torch
from facts import keep
from omegaconf import DictConfig

if os.environ["THREADS"] == "openmp":
    torch.set_num_threads(2)
    torch.rand(300, 300).sort()
    sum(torch.rand(1000, 1000).add_(1).sum() for _ in range(3))
else:
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()


@hydra.main(version_base=None, config_path=None)
def app(_: DictConfig) -> None:
    torch.set_num_threads(2)
    keep(sum=(torch.ones(1000, 1000) + 1).sum().item())


if __name__ == "__main__":
    app()
