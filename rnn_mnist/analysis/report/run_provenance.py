"""What the runs of a report were made with, from their manifests: each distinct value once."""

import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_mnist.runs.run import RunFormatError, read_json


@dataclass(frozen=True)
class Provenance:
    """What a report says of the origin of its runs.

    Attributes:
        commands: as they were typed, the interpreter's path cut to its name.
        facts: a name and its values; a value that only some of the runs have says how many.
    """

    commands: tuple[str, ...]
    facts: tuple[tuple[str, tuple[str, ...]], ...]


def collect(directories: Iterable[str | Path]) -> Provenance:
    """Read the manifests of these runs; one that cannot be read is left out."""
    manifests = []
    for directory in directories:
        try:
            manifests.append(read_json(Path(directory) / "manifest.json"))
        except (RunFormatError, OSError):
            continue
    commands = dict.fromkeys(_command(manifest.get("command") or []) for manifest in manifests)
    facts: dict[str, list[Any]] = {
        "code": [_code(manifest.get("code") or {}) for manifest in manifests],
        "device": [manifest.get("device") for manifest in manifests],
        "threads": [manifest.get("threads") for manifest in manifests],
        "precision": [manifest.get("precision") for manifest in manifests],
        "data (SHA-256)": [manifest.get("data_sha256") for manifest in manifests],
        "Python": [manifest.get("python") for manifest in manifests],
        "versions": [_versions(manifest.get("versions") or {}) for manifest in manifests],
        "platform": [manifest.get("platform") for manifest in manifests],
        "first start": [min((_text(manifest.get("start")) for manifest in manifests), default="")],
        "last end": [max((_text(manifest.get("end")) for manifest in manifests), default="")],
    }
    counted = ((name, _distinct(values)) for name, values in facts.items())
    return Provenance(tuple(command for command in commands if command), tuple((n, v) for n, v in counted if v))


def _distinct(values: list[Any]) -> tuple[str, ...]:
    counts = Counter(_text(value) for value in values if _text(value))
    if len(counts) == 1:
        return tuple(counts)
    return tuple(f"{value} ({count} runs)" for value, count in counts.most_common())


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _command(words: list[str]) -> str:
    return shlex.join(["python", *words[1:]]) if words else ""


def _code(code: dict[str, Any]) -> str:
    if code.get("commit"):
        return f"commit {code['commit']}" + (" with uncommitted changes" if code.get("dirty") else "")
    return f"package with source {_text(code.get('source_sha256'))[:12]}" if code.get("source_sha256") else ""


def _versions(versions: dict[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items() if version)
