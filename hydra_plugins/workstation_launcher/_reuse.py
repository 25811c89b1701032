"""Completed jobs of neighbouring sweeps: found, checked, and taken over whole instead of being run again."""

import contextlib
import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from hydra_plugins.workstation_launcher._neighbours import find_jobs
from hydra_plugins.workstation_launcher._plain_files import is_inside
from hydra_plugins.workstation_launcher._records import (
    OUTPUT,
    STATUS,
    RecordFormatError,
    State,
    Status,
    read_status,
    set_aside_damaged,
)
from hydra_plugins.workstation_launcher._sweep import Job

log = logging.getLogger("hydra_plugins.workstation_launcher")

_TEMPORARY = ".taking-"

Check = Callable[[Path, tuple[str, ...]], bool]
"""Whether the results of a job of these identities are in a directory, whole."""


class ChangedError(Exception):
    """A job that was completed when it was found, and is not any more."""


def find_sources(
    jobs: Sequence[Job], sweep: Path, code_version: str | None, is_whole: Check, *, keep_index: bool
) -> None:
    """Set :attr:`Job.source` of each job that is to do and lies completed beside its sweep; nothing is taken.

    Without a code version nothing is found: what made a job cannot be told from what would run now.
    """
    to_do = [job for job in jobs if not job.skipped and job.twin is None and _may_be_replaced(job)]
    if not to_do or code_version is None:
        return
    wanted = {identity for job in to_do for identity in job.identities}
    found = find_jobs(sweep, wanted, keep_index=keep_index)
    for job in to_do:
        candidates = (path for identity in job.identities for path in found.get(identity, ()))
        for candidate in candidates:
            if _usable(candidate, job, code_version) is not None and is_whole(candidate, job.application_identities):
                job.source = candidate
                job.taken_from = sweep.parent / candidate.relative_to(sweep.parent).parts[0]
                break


def take_over(jobs: Iterable[Job], code_version: str | None, is_whole: Check, on_taken: Callable[..., None]) -> None:
    """Take over each job that has a source; one that cannot be is said, and is to do as any other.

    Args:
        jobs: of the sweep.
        code_version: that would run now.
        is_whole: the application's check.
        on_taken: called with a job's configuration, its source and the folder that will be its directory.
    """
    for job in jobs:
        if job.source is None:
            continue
        try:
            job.status = _take(job, job.source, code_version, is_whole, on_taken)
            job.skipped = True
        except Exception as error:  # the hook is the application's
            log.warning("warning: #%d is not taken from %s: %s", job.number, job.source, _said(error))
            job.source = job.taken_from = None


def remove_leftovers_of_taking(folders: Iterable[Path]) -> None:
    """Remove what a process that was killed in the middle of :func:`take_over` left in folders."""
    for folder in set(folders):
        for leftover in folder.glob(f"{_TEMPORARY}*"):
            shutil.rmtree(leftover, ignore_errors=True)


def unshare(directory: Path) -> None:
    """Give a job that starts files of its own: those that it shares with a copy become copies.

    An application may write into files that are there, and the other directory's must stay as they are.
    """
    for folder, _, names in os.walk(directory):
        for name in names:
            path = Path(folder, name)
            if path.is_symlink() or not path.is_file() or path.stat().st_nlink < 2:
                continue
            own = path.with_name(f"{_TEMPORARY}{hashlib.sha256(name.encode()).hexdigest()[:12]}")
            shutil.copy2(path, own)
            own.replace(path)


def clear_the_way(directory: Path) -> None:
    """Set aside what a job's log cannot be appended to, and links out of its directory where Hydra or a lock writes.

    The latter are those with the name of a log or of a hidden file or folder; others are the application's own affair.
    """
    try:
        with os.scandir(directory) as entries:
            found = [entry for entry in entries if _is_in_the_way(directory, entry)]
    except FileNotFoundError:
        return
    for entry in found:
        set_aside_damaged(Path(entry.path))


def _is_in_the_way(directory: Path, entry: "os.DirEntry[str]") -> bool:
    is_log = entry.name.endswith(".log")
    if entry.is_symlink():
        return (is_log or entry.name.startswith(".")) and not is_inside(directory, entry.name)
    # To open a pipe that nobody reads takes for ever.
    return (entry.name == OUTPUT and not entry.is_file()) or (is_log and not (entry.is_file() or entry.is_dir()))


def _may_be_replaced(job: Job) -> bool:
    """Whether nothing would be lost where the job goes, and nobody is at work there."""
    if job.earlier is not None:
        return not job.is_held and (job.earlier.state != State.running or job.earlier.process_is_gone())
    try:
        return not any(job.directory.iterdir())
    except OSError:
        return not job.directory.exists()


def _usable(directory: Path, job: Job, code_version: str | None) -> Status | None:
    """The record in a directory, if it is that of this very job, completed by this very code.

    A value that JSON could not hold is lost, and none to take.
    """
    try:
        status = read_status(directory)
    except RecordFormatError:
        return None
    if status is None or status.state != State.completed or status.fingerprint not in job.identities:
        return None
    same_code = code_version is not None and status.code_version == code_version
    return status if same_code and status.return_value_text is None else None


def _take(job: Job, source: Path, code_version: str | None, is_whole: Check, on_taken: Callable[..., None]) -> Status:
    temporary = job.directory.parent / f"{_TEMPORARY}{hashlib.sha256(job.place.encode()).hexdigest()[:12]}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        status = _usable(source, job, code_version)
        if status is None:
            raise ChangedError("it has changed since it was found")
        _copy(source, temporary, root=source.resolve())
        status = replace(status, overrides=job.overrides)
        status.write(temporary)
        _write_overrides(job, temporary)
        on_taken(job.config, source, temporary)
        # Whoever trains it anew writes that into its record first.
        if not _same(_usable(source, job, code_version), status) or not is_whole(temporary, job.application_identities):
            raise ChangedError("it has changed while it was copied")
        _put(temporary, job.directory)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return status


def _same(found: Status | None, taken: Status) -> bool:
    return found is not None and replace(found, overrides=taken.overrides) == taken


def _copy(source: Path, destination: Path, root: Path) -> None:
    """Copy what is in a folder. Files are linked, but those that may be appended to, and hidden ones, such as locks."""
    with os.scandir(source) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            target = destination / entry.name
            if entry.is_symlink():
                _copy_link(Path(entry.path), target, root)
            elif entry.is_dir():
                target.mkdir()
                _copy(Path(entry.path), target, root)
            elif entry.is_file() and entry.name != STATUS:
                _copy_file(Path(entry.path), target)


def _copy_link(link: Path, target: Path, root: Path) -> None:
    points_to = link.readlink()
    if points_to.is_absolute() or not link.resolve().is_relative_to(root):
        raise ChangedError(f"{link} leads out of it")
    target.symlink_to(points_to)


def _copy_file(file: Path, target: Path) -> None:
    hidden = any(part.startswith(".") for part in (file.name, file.parent.name))
    if not hidden and file.suffix != ".log":
        with contextlib.suppress(OSError):  # another file system, or one without links
            os.link(file, target)
            return
    shutil.copy2(file, target)


def _write_overrides(job: Job, directory: Path) -> None:
    """``overrides.yaml`` is the job's own; the configuration beside it is the one that made the results."""
    subdirectory = job.config.hydra.output_subdir
    if subdirectory is not None and (directory / str(subdirectory)).is_dir():
        path = directory / str(subdirectory) / "overrides.yaml"
        path.unlink(missing_ok=True)
        OmegaConf.save(job.config.hydra.overrides.task, path)


def _put(temporary: Path, directory: Path) -> None:
    """Give a folder its place; an earlier attempt that lies there gives way to it."""
    if directory.exists():
        earlier = temporary.with_name(f"{temporary.name}-earlier")
        directory.rename(earlier)
        temporary.rename(directory)
        shutil.rmtree(earlier, ignore_errors=True)
    else:
        temporary.rename(directory)


def _said(error: Exception) -> str:
    text: Any = error if isinstance(error, ChangedError) else f"{type(error).__name__}: {error}"
    return " ".join(str(text).split())
