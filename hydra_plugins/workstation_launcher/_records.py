"""What the launcher keeps on disk: ``status.json`` for a job, ``sweep.json`` for a sweep."""

import base64
import hashlib
import json
import math
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from hydra_plugins.workstation_launcher._atomic_files import remove_leftovers, write_json
from hydra_plugins.workstation_launcher._pickling import dumps, loads

SCHEMA_VERSION = 1
STATUS, SWEEP, OUTPUT, FAILURE = "status.json", "sweep.json", "output.log", ".failure.pickle"


class State(StrEnum):
    """How a job stands."""

    completed = "completed"
    failed = "failed"
    interrupted = "interrupted"
    running = "running"


@dataclass
class Status:
    """``status.json``. A job that is ``running`` although its process is gone was killed with all that watched it."""

    state: State
    fingerprint: str
    overrides: list[str]
    attempts: int
    started: str
    ended: str | None = None
    seconds: float | None = None
    device: str | None = None
    host: str | None = None
    pid: int | None = None
    code_version: str | None = None
    return_value: Any = None
    return_value_pickle: str | None = None
    """Base64 of a pickle, for a return value that JSON cannot hold."""
    error: str | None = None
    log: str | None = None
    schema_version: int = SCHEMA_VERSION

    def value(self) -> Any:
        """What the job returned."""
        if self.return_value_pickle is not None:
            return loads(base64.b64decode(self.return_value_pickle))
        return self.return_value

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> "Status":
        """The record that the content of a ``status.json`` is; what it does not have is empty.

        Raises:
            ValueError: if its state is none of :class:`State`.
        """
        known = {entry.name: content[entry.name] for entry in fields(cls) if entry.name in content}
        empty: dict[str, Any] = {"fingerprint": "", "overrides": [], "attempts": 1, "started": ""}
        return cls(**{**empty, **known, "state": State(content.get("state", ""))})

    def process_is_gone(self) -> bool:
        """Whether the process that was at work on the job has ended; False where that cannot be known from here."""
        if self.pid is None or self.host != socket.gethostname():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False  # it is there, and somebody else's
        return False

    def set_value(self, value: Any) -> None:
        """Keep what the job returned: as JSON if it comes back the same, else pickled."""
        if _survives_json(value):
            self.return_value = value
        else:
            self.return_value_pickle = base64.b64encode(dumps(value)).decode("ascii")

    def finish(self, state: State, error: str | None = None) -> None:
        """Set the state and the times of the end."""
        self.state, self.error, self.ended = state, error, now()
        begun = datetime.fromisoformat(self.started)
        self.seconds = round((datetime.now(UTC) - begun).total_seconds(), 3)

    def write(self, directory: Path) -> None:
        """Write ``status.json``, whole or not at all."""
        remove_leftovers(directory / STATUS)
        write_json(directory / STATUS, asdict(self))


def _survives_json(value: Any) -> bool:
    if isinstance(value, float):
        return type(value) is float and math.isfinite(value)
    if isinstance(value, list):
        return type(value) is list and all(map(_survives_json, value))
    if isinstance(value, dict):
        return type(value) is dict and all(type(key) is str and _survives_json(inner) for key, inner in value.items())
    return value is None or type(value) in (bool, int, str)


def read_status(directory: Path) -> Status | None:
    """The job's record, or None if there is none that this program can use: the job is then to be done."""
    content = _read(directory / STATUS)
    if content is None or "fingerprint" not in content:
        return None
    try:
        return Status.from_content(content)
    except ValueError:
        return None


def new_status(
    fingerprint: str, overrides: list[str], directory: Path, *, former: Collection[str] = (), **known: Any
) -> Status:
    """The record of a job that starts now, one attempt after those that ``directory`` knows of.

    ``former``: fingerprints that the job had earlier.
    """
    earlier = read_status(directory)
    attempts = earlier.attempts + 1 if earlier is not None and earlier.fingerprint in (fingerprint, *former) else 1
    return Status(
        state=State.running,
        fingerprint=fingerprint,
        overrides=overrides,
        attempts=attempts,
        started=now(),
        host=socket.gethostname(),
        pid=os.getpid(),
        **known,
    )


@dataclass
class SweepRecord:
    """``sweep.json``: what was planned, by which command, and where each job lies."""

    directory: Path
    jobs: dict[str, dict[str, Any]]
    """Fingerprint to ``directory`` (relative) and ``overrides``, of this and all earlier commands."""
    content: dict[str, Any]

    @classmethod
    def load(cls, directory: Path) -> "SweepRecord":
        """The record of a sweep directory; an empty one if there is none or it is damaged."""
        content = _read(directory / SWEEP) or {}
        jobs = content.get("jobs")
        if not isinstance(jobs, dict):
            jobs = {}
            # Without its index a sweep is found again from its jobs.
            for path in sorted(directory.glob(f"**/{STATUS}")):
                place = path.parent.relative_to(directory).as_posix()
                status = None if place.startswith(".") or "/." in place else read_status(path.parent)
                if status is not None:
                    jobs[status.fingerprint] = {"directory": place, "overrides": status.overrides}
        return cls(directory, jobs, content)

    def add(self, place: str, overrides: list[str], fingerprint: str, former: Collection[str] = ()) -> None:
        """Note a job, under the former fingerprint where that is what its directory is known by."""
        known = (each for each in former if self.jobs.get(each, {}).get("directory") == place)
        self.jobs[next(known, fingerprint)] = {"directory": place, "overrides": overrides}

    def write(self, *, factors: Mapping[str, list[str]], code_version: str | None) -> None:
        """Write ``sweep.json``, whole or not at all."""
        remove_leftovers(self.directory / SWEEP)
        write_json(
            self.directory / SWEEP,
            {
                "schema_version": SCHEMA_VERSION,
                "created": self.content.get("created", now()),
                "updated": now(),
                "command": typed_command(),
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "code_version": code_version,
                "factors": dict(factors),
                "jobs": self.jobs,
            },
        )


def typed_command() -> list[str]:
    """This process's command, as a shell takes it again: an installed program by its name, else the interpreter's."""
    interpreter, arguments = Path(sys.executable).name, sys.orig_argv[1:]
    program = Path(arguments[0]) if arguments else Path()
    # A script of Python's own is given to the interpreter, which is not what its first line may say.
    if program.suffix == ".py" or not program.is_file() or not os.access(program, os.X_OK):
        return [interpreter, *arguments]
    found = shutil.which(program.name)
    on_path = found is not None and program.samefile(found)
    return [program.name if on_path else arguments[0], *arguments[1:]]


def now() -> str:
    """The time in UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


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


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or not isinstance(content.get("schema_version", 1), int):
        return None
    if content.get("schema_version", 1) > SCHEMA_VERSION:
        raise RecordFormatError(f"{path}: written by a newer version of the launcher; update it")
    return content


class RecordFormatError(Exception):
    """A record that only a newer launcher can read."""
