"""What the launcher keeps on disk: ``status.json`` for a job, ``sweep.json`` for a sweep."""

import logging
import os
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Any

import yaml
from hydra.errors import CompactHydraException

from hydra_plugins.workstation_launcher._anew import RUN_ANEW, RunAnew
from hydra_plugins.workstation_launcher._atomic_files import remove_leftovers, write_json
from hydra_plugins.workstation_launcher._plain_files import is_inside, read_object, read_plain, set_aside
from hydra_plugins.workstation_launcher._return_values import as_text, survives_json
from hydra_plugins.workstation_launcher._schemas import (
    FLAG,
    PROCESS,
    SECONDS,
    TEXT,
    WHOLE,
    list_of,
    mapping_of,
    misfit,
    optional,
    record,
)

log = logging.getLogger("hydra_plugins.workstation_launcher")

SCHEMA_VERSION = 1
STATUS, SWEEP, OUTPUT = "status.json", "sweep.json", "output.log"
_SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LONGEST_OVERRIDES = 1 << 20  # bytes


_STATUS_KINDS = {
    "fingerprint": TEXT,
    "overrides": list_of(TEXT),
    "attempts": WHOLE,
    "started": TEXT,
    "attempt_id": TEXT,
    **dict.fromkeys(("ended", "device", "host", "code_version", "return_value_text", "error", "log"), optional(TEXT)),
    "seconds": optional(SECONDS),
    "pid": optional(PROCESS),
    **dict.fromkeys(("place", "place_job"), optional(TEXT)),
    "died": FLAG,
}
_JOB = record({"directory": TEXT, "overrides": list_of(TEXT)}, needed=("directory", "overrides"))
_SWEEP_KINDS = {
    "jobs": mapping_of(_JOB),
    "command": list_of(TEXT),
    "factors": mapping_of(list_of(TEXT)),
    **dict.fromkeys(("created", "updated", "host"), TEXT),
    "code_version": optional(TEXT),
    "pid": PROCESS,
    "background": FLAG,
    "anew": RUN_ANEW,
}


class State(StrEnum):
    """How a job stands."""

    completed = "completed"
    failed = "failed"
    interrupted = "interrupted"
    running = "running"
    queued = "queued"
    pruned = "pruned"
    """Ended early because a search found it hopeless: no result, and no failure."""


@dataclass
class Status:
    """``status.json``. A job that is ``running`` although its process is gone was killed with all that watched it."""

    state: State
    fingerprint: str
    overrides: list[str]
    attempts: int
    started: str
    attempt_id: str = ""
    """Drawn anew for each attempt; what tells whose record this is, for clocks can be set back."""
    ended: str | None = None
    seconds: float | None = None
    device: str | None = None
    host: str | None = None
    pid: int | None = None
    code_version: str | None = None
    return_value: Any = None
    return_value_text: str | None = None
    """What JSON cannot hold, as a text for people."""
    error: str | None = None
    log: str | None = None
    place: str | None = None
    """Where it waits or runs, if that outlives the command that put it there: ``slurm``."""
    place_job: str | None = None
    """What it is called there: ``slurm 123_4``."""
    died: bool = False
    """Whether its process ended without a word, which whoever watched it there has seen."""
    schema_version: int = SCHEMA_VERSION
    begun: float = field(default_factory=time.monotonic, compare=False)
    """When this attempt began, by the clock of the machine that nobody sets; on disk it would mean nothing."""

    @property
    def is_final(self) -> bool:
        """Whether this attempt has ended, as far as its record says."""
        return self.state not in (State.queued, State.running)

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> "Status":
        """The record that the content of a ``status.json`` is; what it does not have is empty.

        Raises:
            ValueError: if its state is none of :class:`State`, or another entry not what it may be.
        """
        wrong = misfit(content, _STATUS_KINDS)
        if wrong is not None:
            raise ValueError(wrong)
        known = {entry.name: content[entry.name] for entry in fields(cls) if entry.name in content}
        known.pop("begun", None)
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

    def set_value(self, value: Any) -> bool:
        """Keep what the job returned: as JSON if it comes back the same, else as a text; whether it was JSON."""
        survives = survives_json(value)
        if survives:
            self.return_value = value
        else:
            self.return_value_text = as_text(value)
        return survives

    def finish(self, state: State, error: str | None = None) -> None:
        """Set the state, the time of the end, and how long it took since :attr:`begun`."""
        self.state, self.error, self.ended = state, error, now()
        self.seconds = round(time.monotonic() - self.begun, 3)

    def write(self, directory: Path) -> None:
        """Write ``status.json``, whole or not at all."""
        remove_leftovers(directory / STATUS)
        content = asdict(self)
        del content["begun"]
        write_json(directory / STATUS, content)


def read_status(directory: Path) -> Status | None:
    """The job's record, or None if there is none that this program can use: the job is then to be done.

    Raises:
        RecordFormatError: if a newer launcher has written it.
    """
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

    What lies in the place of a record there, and is none, is set aside.

    Args:
        fingerprint, overrides: of the job.
        directory: its own.
        former: fingerprints that the job had earlier.
        known: further entries.
    """
    try:
        earlier = read_status(directory)
    except RecordFormatError:
        earlier = None
    if earlier is None:
        set_aside_damaged(directory / STATUS)
    attempts = earlier.attempts + 1 if earlier is not None and earlier.fingerprint in (fingerprint, *former) else 1
    return Status(
        state=State.running,
        fingerprint=fingerprint,
        overrides=overrides,
        attempts=attempts,
        started=now(),
        attempt_id=secrets.token_hex(8),
        host=socket.gethostname(),
        pid=os.getpid(),
        **known,
    )


def set_aside_damaged(path: Path) -> None:
    """Give what lies in the place of a record another name, if there is anything, and say so.

    Raises:
        OSError: if the folder cannot be written.
    """
    if os.path.lexists(path):
        aside = set_aside(path)
        log.warning("warning: %s is damaged; it is kept as %s", path, aside.name)


@dataclass
class SweepRecord:
    """``sweep.json``: what was planned, by which command, and where each job lies."""

    directory: Path
    jobs: dict[str, dict[str, Any]]
    """Fingerprint to ``directory`` (relative) and ``overrides``, of this and all earlier commands."""
    content: dict[str, Any]
    anew: RunAnew | None = None
    """What this command runs anew."""

    @classmethod
    def load(cls, directory: Path) -> "SweepRecord":
        """The record of a sweep directory; an empty one if there is none or it is damaged.

        A job that it has outside of the directory, behind a link, or where another one lies, is none of its jobs.

        Raises:
            RecordFormatError: if a newer launcher has written it.
        """
        content = _read(directory / SWEEP)
        if content is None or "jobs" not in content or misfit(content, _SWEEP_KINDS) is not None:
            content, jobs = {}, _jobs_that_lie_in(directory)
        else:
            jobs = content["jobs"]
        return cls(directory, _without_astray(directory, jobs), content)

    def add(self, place: str, overrides: list[str], fingerprint: str, former: Collection[str] = ()) -> None:
        """Note a job, under the former fingerprint where that is what its directory is known by."""
        known = (each for each in former if self.jobs.get(each, {}).get("directory") == place)
        self.jobs[next(known, fingerprint)] = {"directory": place, "overrides": overrides}

    def end_anew(self) -> None:
        """Note that all jobs that were to be run anew have been: the same command then begins once more."""
        if self.anew is not None:
            self.anew = replace(self.anew, ended=True)
            write_json(self.directory / SWEEP, {**self.content, "anew": asdict(self.anew)})

    def write(self, *, factors: Mapping[str, list[str]], code_version: str | None, background: bool = False) -> None:
        """Write ``sweep.json``, whole or not at all; what lies in its place and is none is set aside."""
        remove_leftovers(self.directory / SWEEP)
        if not self.content:
            set_aside_damaged(self.directory / SWEEP)
        self.content = {
            "schema_version": SCHEMA_VERSION,
            "created": self.content.get("created", now()),
            "updated": now(),
            "command": typed_command(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "background": background,
            "code_version": code_version,
            "factors": dict(factors),
            **({} if self.anew is None else {"anew": asdict(self.anew)}),
            "jobs": self.jobs,
        }
        write_json(self.directory / SWEEP, self.content)


def same_overrides(path: Path, overrides: list[str]) -> bool | None:
    """Whether an ``overrides.yaml`` of Hydra's holds these; None if there is no such file."""
    try:
        raw = read_plain(path, _LONGEST_OVERRIDES)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return False
    try:
        found = yaml.load(raw, Loader=_SAFE_LOADER)
    except (yaml.YAMLError, ValueError, RecursionError):
        return False
    return bool(found == overrides)


def _without_astray(directory: Path, jobs: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    kept: dict[str, dict[str, Any]] = {}
    places: set[PurePath] = set()
    for fingerprint, job in jobs.items():
        place = PurePath(job["directory"])
        if place in places:
            log.warning("warning: %s has %r for two jobs", directory / SWEEP, job["directory"])
        elif not place.parts or not is_inside(directory, job["directory"]):
            log.warning("warning: %s: %r leads out of the sweep, and is not followed", directory / SWEEP, str(place))
        else:
            places.add(place)
            kept[fingerprint] = job
    return kept


def _jobs_that_lie_in(directory: Path) -> dict[str, dict[str, Any]]:
    """The jobs of a sweep without its index, found again from their own records."""
    jobs: dict[str, dict[str, Any]] = {}
    for path in sorted(directory.glob(f"**/{STATUS}")):
        place = path.parent.relative_to(directory).as_posix()
        status = None if place.startswith(".") or "/." in place else read_status(path.parent)
        if status is not None:
            jobs[status.fingerprint] = {"directory": place, "overrides": status.overrides}
    return jobs


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


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = read_object(path)
    except (OSError, ValueError):
        return None
    version = content.get("schema_version", 1)
    if type(version) is not int:
        return None
    if version > SCHEMA_VERSION:
        raise RecordFormatError(f"{path}: written by a newer version of the launcher; update it")
    return content


class RecordFormatError(CompactHydraException):
    """A record that only a newer launcher can read."""
