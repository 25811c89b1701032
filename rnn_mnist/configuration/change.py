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
        because: the keys and their values that make it so; the key itself is among them where another value of it
            would have an effect.
        reason: why, in words: ``dropout acts between layers``.
    """

    key: str
    requested: Any
    effective: Any
    because: Mapping[str, Any]
    reason: str

    def text(self) -> str:
        """A line for whoever set the key."""
        return (
            f"{self.key}={written(self.requested)} has no effect with {self.causes()}: {self.reason}; the run counts "
            f"as {self.key}={written(self.effective)}"
        )

    def causes(self) -> str:
        """The other keys that make it so: ``model.num_layers=1``."""
        return " and ".join(f"{key}={written(value)}" for key, value in self.because.items() if key != self.key)


def written(value: Any) -> str:
    """A value as it is typed on the command line: ``true``, ``null``, ``0.003``."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
