"""What a result was made with: code version, package versions, machine. Imports torch only if it already is there."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from hydra_plugins.workstation_launcher import typed_command
from rnn_mnist.errors import ExpectedError

LONGEST_DIFFERENCE = 1 << 16
"""Characters of a difference that a manifest keeps: each run of a sweep has it."""

_PACKAGE = Path(__file__).parent.parent
_MAKES_RUNS = ("rnn_mnist", "conf", "hydra_plugins")
_RECORDED_PACKAGES = ("rnn-mnist", "torch", "torchvision", "hydra-core", "omegaconf", "numpy", "pandas")


@dataclass(frozen=True)
class CodeVersion:
    """The code that made a run.

    Attributes:
        commit: of the checkout that the package is imported from; None for an installed package.
        dirty: whether that checkout has uncommitted changes; None for an installed package.
        source_sha256: over the package's own Python files but those of ``analysis``, which no run depends on, so that
            any change of them shows; None where a manifest does not say.
        difference: what a dirty checkout has that its commit does not, as ``git diff`` shows it, of what runs are made
            with; None for a clean one, and where it is longer than :data:`LONGEST_DIFFERENCE`.
    """

    commit: str | None
    dirty: bool | None
    source_sha256: str | None
    difference: str | None = None


class Difference(NamedTuple):
    """A fact in which two attempts differ: its name, and what it was and is."""

    fact: str
    before: str
    here: str

    def __str__(self) -> str:
        """``threads 1, not 2``."""
        return f"{self.fact} {self.before}, not {self.here}"


class OtherDataError(ExpectedError):
    """The data are not those that a run was made with so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What an attempt at a run was made with, as a manifest keeps it; None is unknown.

    Attributes:
        code, python, versions, platform, host, command: of the process.
        device, threads: that it computed on.
        data_sha256: over the images and labels of the data set.
        start, end: UTC, ISO 8601; without a start, the attempt has not come to train.
    """

    code: CodeVersion | None = None
    python: str | None = None
    versions: Mapping[str, str | None]
    platform: str | None = None
    host: str | None = None
    command: tuple[str, ...] = ()
    device: str | None = None
    threads: int | None = None
    data_sha256: str | None = None
    start: str | None = None
    end: str | None = None

    @classmethod
    def from_manifest(cls, content: Mapping[str, Any]) -> "Attempt":
        """The attempt that a manifest, or one of its ``earlier_attempts``, tells of."""
        code = content.get("code")
        return cls(
            code=code
            and CodeVersion(code.get("commit"), code.get("dirty"), code.get("source_sha256"), code.get("difference")),
            python=content.get("python"),
            versions=dict(content.get("versions") or {}),
            platform=content.get("platform"),
            host=content.get("host"),
            command=tuple(content.get("command") or ()),
            device=content.get("device"),
            threads=content.get("threads"),
            data_sha256=content.get("data_sha256"),
            start=content.get("start"),
            end=content.get("end"),
        )

    def facts(self) -> dict[str, object]:
        """What is compared, by the name that people know it by."""
        return {
            _DATA: self.data_sha256,
            "code": self.code and self.code.source_sha256 and self.code.source_sha256[:12],
            "Python": self.python,
            **self.versions,
            "host": self.host,
            "device": self.device,
            "threads": self.threads,
        }


_DATA = "data"


def compare(earlier: Iterable[Attempt], here: Attempt) -> list[Difference]:
    """In what ``here`` differs from earlier attempts: each fact once, for the first of them that differs in it.

    What is unknown of either is not different.

    Raises:
        OtherDataError: if the data differ.
    """
    now = here.facts()
    found: dict[str, Difference] = {}
    for attempt in earlier:
        for fact, before in attempt.facts().items():
            after = now.get(fact)
            if before is not None and after is not None and before != after:
                found.setdefault(fact, Difference(fact, str(before), str(after)))
    if _DATA in found:
        other = found[_DATA]
        raise OtherDataError(
            f"the data have SHA-256 {other.here[:12]}, and this run was made with {other.before[:12]} so far: "
            "bring those back, or resume=false trains it anew"
        )
    return list(found.values())


def source_sha256(package: Path) -> str:
    """The digest of :attr:`CodeVersion.source_sha256`, of a package in a folder."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        if path.is_relative_to(package / "analysis"):
            continue
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@lru_cache(maxsize=1)
def code_version() -> CodeVersion:
    """The code version of this process."""
    digest = source_sha256(_PACKAGE)
    # A package that lies in somebody else's repository (a virtual environment, say) is not tracked there.
    if _git("ls-files", "--error-unmatch", "__init__.py") is None:
        return CodeVersion(None, None, digest)
    dirty = bool(_git("status", "--porcelain"))
    return CodeVersion(_git("rev-parse", "HEAD"), dirty, digest, _difference() if dirty else None)


def _difference() -> str | None:
    """What ``git apply`` makes of the commit what is here, new files included."""
    root = _git("rev-parse", "--show-toplevel")
    if root is None:
        return None
    parts = [_run_git(root, "diff", "--binary", "HEAD", "--", *_MAKES_RUNS)]
    new = _run_git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", *_MAKES_RUNS)
    # Two files that differ are its exit status 1.
    parts += [
        _run_git(root, "diff", "--binary", "--no-index", "--", os.devnull, name, allowed=(0, 1))
        for name in (new or "").split("\0")
        if name
    ]
    if None in parts:
        return None
    text = "".join(part for part in parts if part is not None)
    return text if 0 < len(text) <= LONGEST_DIFFERENCE else None


def source_version() -> str:
    """What the launcher compares when it comes upon a finished run: a digest of the code that makes runs."""
    return str(code_version().source_sha256)[:12]


@lru_cache(maxsize=1)
def attempt_here() -> Attempt:
    """An attempt in this process: what is known before a device is chosen and data are read."""
    versions: dict[str, str | None] = {}
    for name in _RECORDED_PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return Attempt(
        code=code_version(),
        python=platform.python_version(),
        versions=versions,
        platform=platform.platform(),
        host=platform.node(),
        command=tuple(typed_command()),
    )


def _git(*arguments: str) -> str | None:
    """What a git command prints, or None if it (or git itself) fails."""
    printed = _run_git(_PACKAGE, *arguments)
    return None if printed is None else printed.strip()


def _run_git(folder: Path | str, *arguments: str, allowed: Collection[int] = (0,)) -> str | None:
    try:
        result = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    except (OSError, UnicodeDecodeError):
        return None
    return result.stdout if result.returncode in allowed else None
