"""A program that names what is in its own main module: targets, pickles, pools of processes, typed configurations."""

from __future__ import annotations

import multiprocessing
import pickle
from dataclasses import dataclass, field
from typing import Any

import hydra
from facts import keep
from hydra.core.config_store import ConfigStore
from hydra.utils import instantiate
from omegaconf import MISSING, DictConfig, OmegaConf


class Net:
    def __init__(self, size: int) -> None:
        self.size = size


@dataclass
class Model:
    _target_: str = "__main__.Net"
    size: int = MISSING


@dataclass
class Config:
    model: Model = field(default_factory=Model)
    sizes: list[int] = field(default_factory=lambda: [1, 2])
    x: int = 0


ConfigStore.instance().store("config", Config)


def square(number: int) -> int:
    return number * number


@hydra.main(version_base=None, config_path=None, config_name="config")
def app(config: DictConfig) -> Any:
    net = instantiate(config.model, size=config.x)
    squares = {}
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            squares[method] = pool.map(square, [1, 2, 3])
    keep(
        same=type(net) is Net,
        pickled=type(pickle.loads(pickle.dumps(net))) is Net,
        size=net.size,
        squares=squares,
        type=OmegaConf.get_type(config) is Config,
        typed=type(OmegaConf.to_object(OmegaConf.masked_copy(config, ["sizes", "x"]))).__name__,
        structured=OmegaConf.to_container(OmegaConf.structured(Model(size=3))),
    )
    return net


if __name__ == "__main__":
    app()
