"""The exceptions of jobs, as the process that launched them sees them."""

from collections.abc import Iterable

_SHOWN = "__workstation_launcher_shown__"
_LONGEST = 200  # characters


def mark_as_shown(error: BaseException) -> None:
    """Note that the launcher has listed this failure of a job, with its cause and its log."""
    setattr(error, _SHOWN, True)


def already_shown(error: BaseException) -> bool:
    """Whether an exception that came out of a sweep is a job's, and listed: an app need not print it again."""
    return getattr(error, _SHOWN, False)


def in_one_line(error: BaseException) -> str:
    """Type and first line of an exception; its log has the others."""
    lines = [line for line in map(str.strip, str(error).splitlines()) if line]
    text = f"{type(error).__name__}: {' '.join(lines[0].split()) if lines else ''}".rstrip(": ")
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
    return f"{text} (+ {len(lines) - 1} more lines)" if len(lines) > 1 else text


def by_cause(causes: Iterable[str | None]) -> dict[str, list[int]]:
    """The places of equal causes, in the order in which the causes come up."""
    places: dict[str, list[int]] = {}
    for place, cause in enumerate(causes):
        places.setdefault(cause or "unknown", []).append(place)
    return places
