"""A program that puts objects of its own in the place of the standard streams, and a Path into the search path."""

import logging
import os
import sys
from pathlib import Path

import hydra
from facts import keep
from omegaconf import DictConfig


class Tee:
    """Writes into two places, and has no descriptor."""

    def __init__(self, stream):
        self.stream, self.seen = stream, []

    def write(self, text):
        self.seen.append(text)
        return self.stream.write(text)

    def flush(self):
        self.stream.flush()


sys.stdout = Tee(sys.stdout)
sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
sys.path.insert(0, Path(__file__).parent / "elsewhere")


@hydra.main(version_base=None, config_path=None)
def app(_: DictConfig) -> None:
    print("printed by the job")
    print("complained by the job", file=sys.stderr)
    logging.getLogger("app").info("logged by the job")
    keep(tee=type(sys.stdout).__name__, seen="printed by the job" in "".join(sys.stdout.seen), path=sys.path[0])


if __name__ == "__main__":
    app()
