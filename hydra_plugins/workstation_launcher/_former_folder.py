"""A sweep's folder as it was before Hydra's sweeper put its ``multirun.yaml`` there, to which a refusal goes back."""

import shutil
from collections.abc import Callable
from pathlib import Path

from hydra_plugins.workstation_launcher._plain_files import NotPlainError, read_plain
from hydra_plugins.workstation_launcher._records import set_aside_damaged


class FormerFolder:
    """What was there."""

    def __init__(self, directory: Path) -> None:
        """Of a sweep's directory; what is no file in the place of ``multirun.yaml`` is set aside."""
        self._directory = directory
        self._was_there = directory.exists()
        self._absent = [parent for parent in directory.parents if not parent.exists()]
        self._multirun = _own_file(directory / "multirun.yaml")

    def restore(self, release: Callable[[], None]) -> None:
        """Have it again; ``release`` is called before a directory that was not there is removed with its lock."""
        multirun = self._directory / "multirun.yaml"
        if self._multirun is not None:
            multirun.write_bytes(self._multirun)
        else:
            multirun.unlink(missing_ok=True)
        if (
            not self._was_there
            and self._directory.is_dir()
            and {path.name for path in self._directory.iterdir()} <= {".lock"}
        ):
            release()
            shutil.rmtree(self._directory)
        for parent in self._absent:
            if not parent.exists():
                continue
            try:
                parent.rmdir()
            except OSError:  # something else has been put there
                break


def _own_file(path: Path) -> bytes | None:
    try:
        return read_plain(path)
    except FileNotFoundError:
        return None
    except NotPlainError:
        set_aside_damaged(path)
        return None
