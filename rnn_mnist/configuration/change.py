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

    def text(self) -> str:
        """A line for whoever set the key."""
        causes = " and ".join(f"{key}={written(value)}" for key, value in self.because.items())
        return (
            f"{self.key}={written(self.requested)} has no effect with {causes}: {self.reason}; the run counts as "
            f"{self.key}={written(self.effective)}"
        )


def written(value: Any) -> str:
    """A value as it is typed on the command line: ``true``, ``null``, ``0.003``."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
