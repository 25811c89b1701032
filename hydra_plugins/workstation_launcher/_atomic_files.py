"""Files that are written whole or not at all: temporary file, fsync, rename."""

import contextlib
import glob
import json
import os
import secrets
from pathlib import Path
from typing import Any


def write_atomically(path: Path, content: bytes) -> None:
    """Give ``path`` this content in one step; a reader, or a power cut, sees the old file or the new one.

    Raises:
        OSError: if the folder cannot be written; the old file is then untouched and no temporary file is left.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    # As public as the umask makes any file: it is the process's, and asking for it would change it for other threads.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def remove_leftovers(path: Path) -> None:
    """Remove what a process that was killed in the middle of :func:`write_atomically` left beside ``path``."""
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*"):
        with contextlib.suppress(IsADirectoryError, PermissionError):  # a folder is none of ours
            leftover.unlink(missing_ok=True)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON object, indented, as :func:`write_atomically` does."""
    write_atomically(path, (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())
