"""A program that owns things until its exit, and whose task begins things of its own."""

import atexit
import gzip
import multiprocessing
import os
import tempfile
import weakref
from multiprocessing import managers  # noqa: F401 - registers what it does at exit
from pathlib import Path

import hydra
from facts import keep
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

HERE = Path(os.environ["HERE"])
LAUNCHING = os.getpid()
FOLDER = tempfile.TemporaryDirectory(dir=HERE)
UNFLUSHED = (HERE / "unflushed.txt").open("a")
if __name__ == "__main__":
    UNFLUSHED.write(f"module {LAUNCHING}\n")


def note(text: str) -> None:
    with (HERE / "exits.txt").open("a") as file:
        file.write(text + "\n")


class Owned:
    pass


atexit.register(lambda: note("module" if os.getpid() == LAUNCHING else "module in a job"))


@hydra.main(version_base=None, config_path=None)
def app(config: DictConfig) -> None:
    global written, zipped, owned
    here = Path(HydraConfig.get().runtime.output_dir)
    (Path(FOLDER.name) / str(config.x)).touch()
    keep(is_there=Path(FOLDER.name).exists())
    written = (here / "written.txt").open("w")
    written.write("all of it")
    zipped = gzip.open(here / "zipped.gz", "wb")
    zipped.write(b"all of it")
    UNFLUSHED.write(f"job {config.x}\n")
    owned = Owned()
    weakref.finalize(owned, note, f"finalized {config.x}")
    atexit.register(note, f"job {config.x}")
    child = multiprocessing.get_context("fork").Process(target=note, args=(f"child {config.x}",))
    child.start()


if __name__ == "__main__":
    app()
