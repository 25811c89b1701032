"""JSON as somebody else may have left it: one of ours, changed in one or a few places."""

import copy
from typing import Any

from hypothesis import strategies as st

_STRANGE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, 0.5, -1.5, 1e308),
    *("", "x", "..", "../../../evil", "/etc/passwd", "a\0b", "\x1b[31m", "é\n", "x" * 300, "nan", "completed"),
    *([], [[]], [None], ["x"], {}, {"x": None}, {"": []}, [{"directory": "../x"}]),
)


@st.composite
def mutated(draw: st.DrawFn, content: dict[str, Any], *, newer: bool = True) -> Any:
    """Up to three entries, at any depth, are replaced, removed, or moved to a strange key.

    ``newer``: whether it may claim to be of a newer version, which readers may refuse.
    """
    found = copy.deepcopy(content)
    for _ in range(draw(st.integers(1, 3))):
        places = [place for place in _places(found) if newer or place[1] != "schema_version"]
        if not places:
            break
        owner, key = draw(st.sampled_from(places))
        what = draw(st.sampled_from(("replace", "replace", "remove", "rename")))
        if what == "replace":
            owner[key] = copy.deepcopy(draw(st.sampled_from(_STRANGE)))
        elif what == "remove":
            del owner[key]
        elif isinstance(owner, dict):
            owner[draw(st.sampled_from(("", "../x", "é")))] = owner.pop(key)
    return found


def _places(content: Any) -> list[tuple[Any, Any]]:
    """Each container with each of its keys."""
    if not isinstance(content, dict | list):
        return []
    keys = list(content) if isinstance(content, dict) else list(range(len(content)))
    return [(content, key) for key in keys] + [place for key in keys for place in _places(content[key])]
