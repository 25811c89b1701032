"""A program with a callback of Hydra's that counts under a lock."""

import threading

import hydra
from facts import keep
from hydra.core.config_store import ConfigStore
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

seen: list[str] = []


class Counting(Callback):
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.count = 0

    def on_multirun_start(self, config: DictConfig, **kwargs: object) -> None:
        with self.lock:
            self.count += 100

    def on_job_start(self, config: DictConfig, **kwargs: object) -> None:
        with self.lock:
            seen.append(f"{self.count} {config.x} {getattr(kwargs.get('task_function'), '__name__', '')}")


CONFIG = {"x": 0, "hydra": {"callbacks": {"counting": {"_target_": "__main__.Counting"}}}}
ConfigStore.instance().store("config", OmegaConf.create(CONFIG))


def hook(*_: object) -> None:
    print("hook called")


@hydra.main(version_base=None, config_path=None, config_name="config")
def app(config: DictConfig) -> None:
    keep(seen=seen[-1:])


if __name__ == "__main__":
    app()
