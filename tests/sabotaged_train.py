"""``rnn_mnist.train`` with accidents: the first attempt of some runs goes wrong after its first epoch.

What happens to a run depends on its seed, see :data:`ACCIDENTS`. Each epoch that is trained is noted in the file that
``$NOTES`` names, and whether the run was complete already.
"""

import ctypes
import os
import signal
from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig

from rnn_mnist import task
from rnn_mnist.configuration.compose import CONFIG_DIR, register
from rnn_mnist.configuration.hydra_versions import MAIN

ACCIDENTS = {1: "raise", 2: "exit", 3: "kill", 4: "hang", 5: "raise"}


def accident(kind: str) -> None:
    if kind == "raise":
        raise ValueError("an accident")
    if kind == "exit":
        os._exit(7)
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    while True:
        ctypes.PyDLL(None).sleep(600)


def sabotaged(config: DictConfig) -> float:
    from hydra.core.hydra_config import HydraConfig

    from rnn_mnist.training.trainer import Trainer

    directory = Path(HydraConfig.get().runtime.output_dir)
    kind = ACCIDENTS.get(config.seed) if "CALM" not in os.environ else None
    train_epoch = Trainer.train_epoch

    def train_an_epoch(trainer: Trainer, *arguments: Any) -> Any:
        with Path(os.environ["NOTES"]).open("a", encoding="utf-8") as notes:
            notes.write(f"{config.seed} {len(trainer.history)} {(directory / 'result.json').exists()}\n")
        had_it = directory / "had_its_accident"
        if kind is not None and len(trainer.history) == 1 and not had_it.exists():
            had_it.touch()
            accident(kind)
        return train_epoch(trainer, *arguments)

    Trainer.train_epoch = train_an_epoch  # type: ignore[method-assign, assignment]
    try:
        return task.task(config)
    finally:
        Trainer.train_epoch = train_epoch  # type: ignore[method-assign]


if __name__ == "__main__":
    register(task.job_identity)
    hydra.main(config_path=str(CONFIG_DIR), config_name="config", **MAIN)(sabotaged)()
