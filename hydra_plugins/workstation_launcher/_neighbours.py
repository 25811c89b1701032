"""The jobs that lie in the folders beside a sweep's, by fingerprint, and an index that makes finding them quick.

The index, ``.runs.json`` in the folder that all of them lie in, is a hint where to look and nothing else: it is made by
reading, made anew where a folder has changed since, done without where it is damaged or cannot be written, and whatever
it says of a job is read again from the job's own record.
"""

import contextlib
import json
import os
import time
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from hydra_plugins.workstation_launcher._atomic_files import remove_leftovers, write_atomically
from hydra_plugins.workstation_launcher._plain_files import is_inside, read_object
from hydra_plugins.workstation_launcher._records import STATUS, SWEEP
from hydra_plugins.workstation_launcher._schemas import TEXT, WHOLE, Kind, list_of, mapping_of, record

INDEX = ".runs.json"
_SCHEMA_VERSION = 1

# A folder that changed so lately may change again within the same tick of the file system's clock.
_SETTLED_NANOSECONDS = 2_000_000_000

_STAMP = Kind("three whole numbers", lambda value: list_of(WHOLE).holds(value) and len(value) == 3)
_FOLDERS = mapping_of(
    record(
        {"stamp": _STAMP, "others": mapping_of(WHOLE), "places": mapping_of(list_of(TEXT))},
        needed=("stamp", "others", "places"),
    )
)


@dataclass(frozen=True)
class Neighbour:
    """A folder beside a sweep's, as it was found.

    Attributes:
        stamp: when the folder changed, and its ``sweep.json``, in ns; and that file's size.
        others: the folders in it that hold no job, each with when it changed; a job may come into them.
        places: fingerprint to the directories of its jobs, as seen from the folder.
    """

    stamp: tuple[int, ...]
    others: dict[str, int]
    places: dict[str, list[str]]

    def is_settled(self) -> bool:
        """Whether a change from now on will show in the times.

        A clock that is set meanwhile can only make a folder be read once more, or one that changes within the same
        instant seem unchanged: what is new there is then run instead of being taken.
        """
        return max(*self.stamp[:2], *self.others.values()) < time.time_ns() - _SETTLED_NANOSECONDS

    def is_current(self, folder: Path) -> bool:
        """Whether the folder is still as it was."""
        try:
            return self.stamp == _stamp(folder) and all(
                (folder / name).stat().st_mtime_ns == changed for name, changed in self.others.items()
            )
        except (OSError, ValueError):  # no name of a file
            return False


def find_jobs(sweep: Path, fingerprints: Collection[str], *, keep_index: bool = True) -> dict[str, list[Path]]:
    """Where jobs of these fingerprints may lie: in the folders beside a sweep's, themselves, a level or two down.

    Links are not followed, so that nothing outside of those folders is ever found.

    Args:
        sweep: the sweep's own directory, which is left out.
        fingerprints: the wanted ones.
        keep_index: whether the index may be written.

    Returns:
        Of each fingerprint that was found, the directories, by the name of their folder. Their records say whether it
        is true.
    """
    parent = sweep.parent
    before = _read_index(parent)
    kept: dict[str, Neighbour] = {}
    found: defaultdict[str, list[Path]] = defaultdict(list)
    for name in _folders(parent):
        known = before.get(name)
        if name == sweep.name:
            kept |= {} if known is None else {name: known}
            continue
        try:
            neighbour = (
                known if known is not None and known.is_current(parent / name) else read_neighbour(parent / name)
            )
        except OSError:
            continue  # gone meanwhile, or not ours to read
        if neighbour is known or (neighbour.places and neighbour.is_settled()):
            kept[name] = neighbour
        for fingerprint in neighbour.places.keys() & set(fingerprints):
            places = (place for place in neighbour.places[fingerprint] if is_inside(parent / name, place))
            found[fingerprint] += [parent / name / place for place in places]
    if keep_index and kept != before:
        _write_index(parent, kept)
    return dict(found)


def read_neighbour(folder: Path) -> Neighbour:
    """What a folder holds now; an OSError if it cannot be read."""
    stamp = _stamp(folder)  # before looking: what changes from here on shows
    others: dict[str, int] = {}
    places: dict[str, list[str]] = {}
    for place in _places(folder, others):
        fingerprint = _fingerprint(folder / place)
        if fingerprint is not None:
            places.setdefault(fingerprint, []).append(place)
    return Neighbour(stamp, others, places)


def _places(folder: Path, others: dict[str, int]) -> Iterator[str]:
    """The directories of jobs in a folder: itself, else those among its children and theirs."""
    if os.path.lexists(folder / STATUS):
        yield "."
        return
    for child in _folders(folder):
        if _holds_job(folder, child, others):
            yield child
            continue
        for name in _folders(folder / child):
            if _holds_job(folder, f"{child}/{name}", others):
                yield f"{child}/{name}"


def _holds_job(folder: Path, place: str, others: dict[str, int]) -> bool:
    with contextlib.suppress(OSError):
        changed = (folder / place).stat().st_mtime_ns
        if _fingerprint(folder / place) is not None:
            return True
        others[place] = changed
    return False


def _fingerprint(directory: Path) -> str | None:
    try:
        found = read_object(directory / STATUS).get("fingerprint")
    except (OSError, ValueError):
        return None
    return found if isinstance(found, str) and found else None


def _folders(directory: Path) -> list[str]:
    """The names of the visible folders in a directory; none of one that cannot be read."""
    try:
        with os.scandir(directory) as entries:
            return sorted(
                entry.name
                for entry in entries
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            )
    except OSError:
        return []


def _stamp(folder: Path) -> tuple[int, ...]:
    try:
        record = (folder / SWEEP).stat()
        recorded = (record.st_mtime_ns, record.st_size)
    except OSError:
        recorded = (0, 0)
    return (folder.stat().st_mtime_ns, *recorded)


def _read_index(parent: Path) -> dict[str, Neighbour]:
    """The neighbours as they were; none of an index that is damaged, or a newer launcher's."""
    try:
        content = read_object(parent / INDEX)
    except (OSError, ValueError):
        return {}
    if content.get("schema_version") != _SCHEMA_VERSION or not _FOLDERS.holds(content.get("folders")):
        return {}
    return {
        name: Neighbour(tuple(entry["stamp"]), entry["others"], entry["places"])
        for name, entry in content["folders"].items()
    }


def _write_index(parent: Path, neighbours: dict[str, Neighbour]) -> None:
    content = {"schema_version": _SCHEMA_VERSION, "folders": {name: vars(each) for name, each in neighbours.items()}}
    with contextlib.suppress(OSError):
        remove_leftovers(parent / INDEX)
        write_atomically(parent / INDEX, json.dumps(content).encode())
