"""A program that returns what is asked for."""

import threading
from pathlib import Path

import hydra
from facts import keep
from omegaconf import DictConfig


class Kind:
    def __repr__(self) -> str:
        raise RuntimeError("no representation")

    def __reduce__(self):
        raise RuntimeError("no pickle")


VALUES = {
    "generator": lambda: (number for number in range(3)),
    "lock": threading.Lock,
    "surrogate": lambda: "\udcff",
    "integer": lambda: 10**5000,
    "set": lambda: {1, 2},
    "path": lambda: Path("/a/path"),
    "no_number": lambda: float("nan"),
    "kind": Kind,
    "keys": lambda: {1: "one", (2, 3): "two"},
    "nested": lambda: eval("[" * 90 + "]" * 90),
}


@hydra.main(version_base=None, config_path=None)
def app(config: DictConfig) -> object:
    keep(what=config.x)
    return VALUES[config.x]()


if __name__ == "__main__":
    app()
