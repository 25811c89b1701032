"""A program whose task forks, and whose child comes back through the code that called the task."""

import ctypes
import os
import sys

import hydra
from omegaconf import DictConfig


@hydra.main(version_base=None, config_path=None)
def app(config: DictConfig) -> str:
    child = os.fork()
    if child == 0:
        if config.how == "exit":
            sys.exit(0)
        if config.how == "raise":
            raise ValueError("of the child")
        return "of the child"
    _, status = os.waitpid(child, 0)
    print("child ended with", os.waitstatus_to_exitcode(status))
    if config.then == "segfault":
        ctypes.string_at(0)
    return "of the job"


if __name__ == "__main__":
    app()
