"""The exceptions of jobs, as the process that launched them sees them, and the list of them at a sweep's end."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

_SHOWN = "__workstation_launcher_shown__"
_LONGEST = 200  # characters
_MOST_ALIKE = 3
"""Failures of one cause that are listed one by one."""
_AROUND = 4
"""Lines of a screen that the list leaves: the summary before it, the command to type next."""
_PREFIX = 34  # characters that Hydra's own format puts before a message

_SWITCH = ", set env var HYDRA_FULL_ERROR=1 to see chained exception."
_OF_OMEGACONF = re.compile(r"(full_key|object_type|reference_type): *|(object_type|reference_type)=")


def mark_as_shown(error: BaseException) -> None:
    """Note that the launcher has listed this failure of a job, with its cause and its log."""
    setattr(error, _SHOWN, True)


def already_shown(error: BaseException) -> bool:
    """Whether an exception that came out of a sweep is a job's, and listed: an app need not print it again."""
    return getattr(error, _SHOWN, False)


def in_one_line(error: BaseException) -> str:
    """Type and first line of an exception; its log has the others.

    Hydra and OmegaConf name the key in a line of its own, and Hydra the cause in one below that ends with a colon.
    """
    text, key, left = _parts(error)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
    if key and not re.search(rf"(?<![\w.]){re.escape(key)}(?![\w.])", text):
        text += f" (key {key})"
    return f"{text} (+ {left} more {'line' if left == 1 else 'lines'})" if left else text


def _parts(error: BaseException) -> tuple[str, str, int]:
    """What an exception says first, the key that it names, and how many more lines it has."""
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    key = next((line.partition(":")[2].strip() for line in lines if line.startswith("full_key:")), "")
    said = [line for line in lines if not _OF_OMEGACONF.match(line)]
    first = said.pop(0) if said else ""
    if first.endswith(":") and said:
        first = f"{first} {said.pop(0)}"
    if _SWITCH in first:
        first = first.replace(_SWITCH, "" if error.__cause__ is None else f": {_parts(error.__cause__)[0]}")
    return f"{type(error).__name__}: {first}".rstrip(": "), key, len(said)


@dataclass(frozen=True)
class Failed:
    """A job that has failed."""

    number: int
    cause: str
    label: str
    log: Path

    def __str__(self) -> str:
        """Three lines."""
        return f"failed #{self.number}: {self.cause}\n    {self.label}\n    {self.log}"


def failure_list(failures: Sequence[Failed], columns: int, lines: int) -> list[str]:
    """Messages, each of one or more lines, that tell of all failures and fit a screen of that size.

    Each failure with its cause, its overrides and its log, of many alike the first few; where that is too much, one of
    each cause, those that most jobs failed of; and how many that leaves.
    """
    groups = list(_by_cause(failures).values())
    room = lines - _AROUND
    messages = [message for group in groups for message in _told(group)]
    if _height(messages, columns) <= room:
        return messages
    messages = []
    groups.sort(key=len, reverse=True)
    while groups:
        left = [_left(groups[1:])] if groups[1:] else []
        if messages and _height([*messages, _told_briefly(groups[0]), *left], columns) > room:
            break
        messages.append(_told_briefly(groups.pop(0)))
    return [*messages, _left(groups)] if groups else messages


def _told(group: Sequence[Failed]) -> list[str]:
    shown = group if len(group) <= _MOST_ALIKE + 1 else group[:_MOST_ALIKE]
    messages = [str(failed) for failed in shown]
    if len(shown) < len(group):
        messages.append(f"and {len(group) - len(shown)} more failed of the same cause: {group[0].cause}")
    return messages


def _told_briefly(group: Sequence[Failed]) -> str:
    numbers = ", ".join(f"#{failed.number}" for failed in group[:_MOST_ALIKE])
    more = len(group) - _MOST_ALIKE
    return (
        f"failed {numbers}{f' and {more} more' if more > 0 else ''}: {group[0].cause}\n"
        f"    {group[0].label}\n    {group[0].log}"
    )


def _left(groups: Sequence[Sequence[Failed]]) -> str:
    failures = sum(map(len, groups))
    jobs, causes = "job" if failures == 1 else "jobs", "cause" if len(groups) == 1 else "causes"
    return f"and {failures} more {jobs} failed of {len(groups)} other {causes}: each job's is in its status.json"


def _by_cause(failures: Iterable[Failed]) -> dict[str, list[Failed]]:
    """Failures whose causes differ in nothing but numbers and the job's own directory, in the order they come in."""
    groups: dict[str, list[Failed]] = {}
    for failed in failures:
        cause = failed.cause.replace(str(failed.log.parent), "")
        groups.setdefault(re.sub(r"\d+(\.\d+)?", "0", cause), []).append(failed)
    return groups


def _height(messages: Iterable[str], columns: int) -> int:
    lines = (line for message in messages for line in message.splitlines())
    return sum(ceil((len(line) + _PREFIX) / columns) for line in lines)
