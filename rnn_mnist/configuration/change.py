"""What a configuration asked for and does not get: one value a key, told in words only at the edge."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Change:
    """A key whose requested value has no effect, and the value that it counts as instead.

    Manifests keep changes as JSON objects of these fields.

    Attributes:
        key: dotted.
        requested: what the configuration said.
        effective: what the run counts as.
        because: the keys and their values that make it so.
        reason: why, in words: ``dropout acts between layers``.
    """

    key: str
    requested: Any
    effective: Any
    because: Mapping[str, Any]
    reason: str
