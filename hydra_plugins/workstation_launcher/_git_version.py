"""What git says of the code that runs."""

import hashlib
import subprocess
from pathlib import Path


def git_version(source: Path) -> str | None:
    """``git describe --always --dirty`` of the repository that a file of code is in, and a digest of what is dirty.

    None outside of a repository, and of a file that is not tracked there.
    """
    if _git(source, "ls-files", "--error-unmatch", source.name) is None:
        return None
    described = _git(source, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
    if described is None:
        return None
    version = described.decode().strip()
    if not version.endswith("-dirty"):
        return version
    changes = _git(source, "diff", "HEAD", "--no-ext-diff", "--binary")
    return version if changes is None else f"{version}-{hashlib.sha256(changes).hexdigest()[:8]}"


def _git(source: Path, *arguments: str) -> bytes | None:
    """What git prints in the folder of a file, or None if it cannot."""
    try:
        return subprocess.run(
            ["git", *arguments], cwd=source.parent, capture_output=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
