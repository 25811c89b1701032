"""What a result was made with: code version, package versions, machine. Imports torch only if it already is there."""

import hashlib
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parent.parent
_RECORDED_PACKAGES = ("rnn-mnist", "torch", "torchvision", "hydra-core", "omegaconf", "numpy", "pandas")


@dataclass(frozen=True)
class CodeVersion:
    """The code that made a run.

    Attributes:
        commit: of the checkout that the package is imported from; None for an installed package.
        dirty: whether that checkout has uncommitted changes; None for an installed package.
        source_sha256: over the package's own Python files but those of ``analysis``, which no run depends on, so that
            any change of them shows.
    """

    commit: str | None
    dirty: bool | None
    source_sha256: str

    def __str__(self) -> str:
        """Short and readable: ``1a2b3c4d (dirty)``, or the digest of an installed package's files."""
        if self.commit is None:
            return f"source {self.source_sha256[:12]}"
        return self.commit[:12] + (" (dirty)" if self.dirty else "")


@lru_cache(maxsize=1)
def code_version() -> CodeVersion:
    """The code version of this process."""
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        if path.is_relative_to(_PACKAGE / "analysis"):
            continue
        digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    # A package that lies in somebody else's repository (a virtual environment, say) is not tracked there.
    if _git("ls-files", "--error-unmatch", "__init__.py") is None:
        return CodeVersion(None, None, digest.hexdigest())
    return CodeVersion(_git("rev-parse", "HEAD"), bool(_git("status", "--porcelain")), digest.hexdigest())


def source_version() -> str:
    """What the launcher compares when it comes upon a finished run: a digest of the code that makes runs."""
    return code_version().source_sha256[:12]


def environment() -> dict[str, Any]:
    """Versions, machine and code, as a manifest records them."""
    versions: dict[str, str | None] = {}
    for name in _RECORDED_PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return {
        "code": asdict(code_version()),
        "python": platform.python_version(),
        "versions": versions,
        "platform": platform.platform(),
        "host": platform.node(),
        "command": sys.orig_argv,
    }


def _git(*arguments: str) -> str | None:
    """What a git command prints, or None if it (or git itself) fails."""
    try:
        result = subprocess.run(["git", *arguments], cwd=_PACKAGE, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()
