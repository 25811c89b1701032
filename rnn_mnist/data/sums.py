"""Sums that are taken once in a process, and again when a file has changed. Imports no torch.

A file counts as changed when its size, time or number in the file system differs. The process that launches a sweep
takes the sums before the first job, and jobs that are forked from it inherit them. So a byte that flips on the disk is
found by the next command, and what changes a file while a sweep runs by the sweep's next job.
"""

import hashlib
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray]
"""Images uint8 ``[image, 28, 28]`` and their classes uint8 ``[image]``."""

_passed: set[Hashable] = set()
_checksums: dict[Hashable, str] = {}


def once(path: Path, kind: Hashable, check: Callable[[], None]) -> None:
    """Call ``check``, which raises if something is wrong with a file, unless the file has passed that kind of it."""
    key = (_state(path), kind)
    if key not in _passed:
        check()
        _passed.add(key)


def checksum(parts: Iterable[Arrays], kind: Hashable, paths: Iterable[Path]) -> str:
    """SHA-256, in hexadecimal, over the images of each part and their classes as int64.

    ``paths`` are the files that the parts were read from, in the way that ``kind`` tells; without any the sum is always
    taken.
    """
    states = tuple(_state(path) for path in paths)
    key = (kind, states)
    if not states or key not in _checksums:
        digest = hashlib.sha256()
        for images, labels in parts:
            digest.update(images.data)
            digest.update(labels.astype(np.int64).data)
        _checksums[key] = digest.hexdigest()
    return _checksums[key]


def _state(path: Path) -> Hashable:
    state = path.stat()
    return path, state.st_size, state.st_mtime_ns, state.st_ino
