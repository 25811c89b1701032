"""Orders for jobs that other machines will start: pickles on disk, of one command for its own jobs and nobody else.

What others may have written is never unpickled. So these lie in a folder that only this user can enter, under a name
that is drawn, and whoever reads them knows by heart (from its own command line) the SHA-256 of the index, which has
those of the others: a file that has been changed is not read.
"""

import contextlib
import hashlib
import json
import secrets
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra_plugins.workstation_launcher._messages import Start
from hydra_plugins.workstation_launcher._new_interpreter import Content
from hydra_plugins.workstation_launcher._pickling import dumps, loads
from hydra_plugins.workstation_launcher._plain_files import read_plain

_INDEX, _CONTENT = "index.json", "application"
_MOST_BYTES = 1 << 30


class ForeignOrderError(Exception):
    """An order that is not what the command that sent it wrote."""


@dataclass(frozen=True)
class Batch:
    """Orders that are submitted together."""

    folder: Path
    """Of mode 0700; its name is drawn, and tells one batch from all others."""
    digest: str
    """SHA-256 of its index."""

    @property
    def name(self) -> str:
        """What tells it from all others."""
        return self.folder.name


class OrderWriter:
    """Writes the orders of a batch, one after another: none is kept in memory."""

    def __init__(self, folder: Path, content: Content) -> None:
        """``folder`` is the one for all batches of a sweep; ``content`` is what each job's process is to have.

        Raises:
            OSError: if it cannot be written.
        """
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        self._folder = folder / secrets.token_hex(8)
        self._folder.mkdir(mode=0o700)
        self._digests: list[str] = []
        self._content = self._write(_CONTENT, dumps(content))

    def __len__(self) -> int:
        """How many there are."""
        return len(self._digests)

    def add(self, start: Start) -> None:
        """One more; its number in the batch is how many there were before."""
        self._digests.append(self._write(str(len(self)), dumps(start)))

    def end(self) -> Batch:
        """The batch, to which nothing is added any more."""
        index = json.dumps({"content": self._content, "orders": self._digests}).encode()
        (self._folder / _INDEX).write_bytes(index)
        return Batch(self._folder, hashlib.sha256(index).hexdigest())

    def _write(self, name: str, content: bytes) -> str:
        packed = zlib.compress(content)
        (self._folder / name).write_bytes(packed)
        return hashlib.sha256(packed).hexdigest()


def read_order(folder: Path, digest: str, number: int) -> tuple[Content, Start]:
    """An order of a batch, and what the job's process is to have.

    Raises:
        ForeignOrderError: if a file is not the one that was written.
        OSError: if one is not there.
    """
    index = json.loads(_read(folder / _INDEX, digest))
    content: Content = loads(zlib.decompress(_read(folder / _CONTENT, index["content"])))
    start: Start = loads(zlib.decompress(_read(folder / str(number), index["orders"][number])))
    return content, start


def remove_batches(folder: Path, still_wanted: Sequence[str]) -> None:
    """Remove the batches of a sweep whose jobs have all ended."""
    with contextlib.suppress(OSError):
        for batch in folder.iterdir():
            if batch.name not in still_wanted:
                shutil.rmtree(batch, ignore_errors=True)
        folder.rmdir()


def _read(path: Path, digest: str) -> bytes:
    content = read_plain(path, _MOST_BYTES)
    if hashlib.sha256(content).hexdigest() != digest:
        raise ForeignOrderError(f"{path} is not what was written when this job was submitted; it is not read")
    return content
