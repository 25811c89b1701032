"""The digest of a user's own code that a configuration names, so that other code is another run."""

import hashlib
import importlib.util
from pathlib import Path

from rnn_mnist.errors import ExpectedError

DIGEST_LENGTH = 12


class SourceError(ExpectedError):
    """A dotted path that names nothing; the message has the key and the path."""


def source_digest(key: str, path: str) -> str:
    """The first 12 hex digits of SHA-256 over the source file of what a dotted path names.

    Of the module alone, not of what it imports in its turn; the object itself is not imported.

    Args:
        key: the configuration key, for messages.
        path: ``package.module.Name``.

    Raises:
        SourceError: if there is no such module, or it has no source file.
    """
    module = path.rpartition(".")[0]
    try:
        found = importlib.util.find_spec(module) if module else None
    except (ImportError, ValueError) as error:
        raise SourceError(f"{key}={path}: {error}") from error
    if found is None or found.origin is None or not Path(found.origin).is_file():
        raise SourceError(f"{key}={path}: must be the dotted path of something in a module that Python finds")
    return hashlib.sha256(Path(found.origin).read_bytes()).hexdigest()[:DIGEST_LENGTH]
