"""What the runs of a report were made with, from their manifests: each distinct value once."""

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnn_mnist.runs.provenance import CodeVersion
from rnn_mnist.runs.record import RunRecord


@dataclass(frozen=True)
class Provenance:
    """What a report says of the origin of its runs.

    Attributes:
        commands: as they were typed, the interpreter's path cut to its name.
        facts: a name and its values; a value that only some of the runs have says how many.
    """

    commands: tuple[str, ...]
    facts: tuple[tuple[str, tuple[str, ...]], ...]


def collect(records: Iterable[RunRecord]) -> Provenance:
    """What these runs were made with."""
    records = list(records)
    attempts = [record.attempt for record in records]
    commands = dict.fromkeys(_command(attempt.command) for attempt in attempts)
    facts: dict[str, list[Any]] = {
        "code": [_code(attempt.code) for attempt in attempts],
        "device": [attempt.device for attempt in attempts],
        "threads": [attempt.threads for attempt in attempts],
        "precision": [record.config.get("training.precision") for record in records],
        "data (SHA-256)": [attempt.data_sha256 for attempt in attempts],
        "Python": [attempt.python for attempt in attempts],
        "versions": [_versions(attempt.versions) for attempt in attempts],
        "platform": [attempt.platform for attempt in attempts],
        "first start": [min((attempt.start for attempt in attempts if attempt.start), default="")],
        "last end": [max((attempt.end for attempt in attempts if attempt.end), default="")],
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


def _command(words: Sequence[str]) -> str:
    return shlex.join(["python", *words[1:]]) if words else ""


def _code(code: CodeVersion | None) -> str:
    if code is not None and code.commit:
        return f"commit {code.commit}" + (" with uncommitted changes" if code.dirty else "")
    return f"package with source {code.source_sha256[:12]}" if code is not None and code.source_sha256 else ""


def _versions(versions: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items() if version)
