"""What a configuration key is, declared beside its field: range, unit, meaning, and what follows from it elsewhere."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import StrEnum
from types import UnionType
from typing import Any, Literal, get_args, get_type_hints

METADATA = "key"


class Role(StrEnum):
    """What a key means for the identity of a run.

    Attributes:
        identity: runs that differ in it are different runs.
        resolved: it decides another key, which is identity; two values that decide alike are the same run.
        circumstance: it says where, how fast or with what display a run is made, and not what its result means.
    """

    identity = "identity"
    resolved = "resolved"
    circumstance = "circumstance"


@dataclass(frozen=True)
class Key:
    """What is declared of a key.

    Attributes:
        meaning: what it does, in a sentence without its full stop.
        unit: of its values; empty for counts, shares and names.
        label: what an axis calls it; empty: its name with spaces.
        bounds: ``ge``, ``gt``, ``le``, ``lt`` and the number; None values pass.
        scale: of an axis of its values.
        role: what it means for identity.
        in_names: whether the names of directories show it where it was given.
        shares_noise: whether two runs of one seed that differ in it alone start from the same weights or see the same
            images in the same order, so that they share noise.
        replicate: whether its values are draws of one and the same thing, as those of a seed are, and no levels.
        later: whether it came when runs had ids already: with its default, a run's id is what it was without the key.
    """

    meaning: str
    unit: str = ""
    label: str = ""
    bounds: Mapping[str, float] | None = None
    scale: Literal["linear", "log"] = "linear"
    role: Role = Role.identity
    in_names: bool = True
    shares_noise: bool = False
    replicate: bool = False
    later: bool = False


def key(
    default: Any = MISSING,
    meaning: str = "",
    *,
    default_factory: Callable[[], Any] | None = None,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    **declared: Any,
) -> Any:
    """A declared field of a dataclass: its default, meaning and bounds, and the other fields of :class:`Key`."""
    given = {"ge": ge, "gt": gt, "le": le, "lt": lt}
    bounds = {name: bound for name, bound in given.items() if bound is not None} or None
    metadata = {METADATA: Key(meaning, bounds=bounds, **declared)}
    if default_factory is not None:
        return field(default_factory=default_factory, metadata=metadata)
    return field(default=default, metadata=metadata)


def with_default(owner: type, name: str, default: Any) -> Any:
    """The field of another dataclass, declared as there, with a default of its own."""
    (inherited,) = (entry for entry in fields(owner) if entry.name == name)
    return field(default=default, metadata=inherited.metadata)


@dataclass(frozen=True)
class DeclaredKey:
    """A key as one option of its group has it.

    Attributes:
        name: dotted: ``model.num_layers``.
        declared: what is declared of it.
        default: its default there.
        choices: the names it allows, in their order, where it is an enumeration.
        kind: the type of its values: ``int``, ``float``, ``bool``, ``str``, or ``enumeration``.
        optional: whether it may be ``null``.
    """

    name: str
    declared: Key
    default: Any
    choices: tuple[str, ...]
    kind: str
    optional: bool

    @property
    def label(self) -> str:
        """What an axis calls it, its unit in brackets: ``learning rate``, ``max shift (pixels)``."""
        words = self.declared.label or self.name.rpartition(".")[2].replace("_", " ")
        return f"{words} ({self.declared.unit})" if self.declared.unit else words

    @property
    def allowed(self) -> str:
        """Its values in words: ``1 to 1,000``, ``true or false``, ``a number > 0``."""
        words = " or ".join(self.choices) or _range(self.kind, self.declared.unit, self.declared.bounds or {})
        return f"{words}, or null" if self.optional else words


def declared_in(node: type, prefix: str = "") -> list[DeclaredKey]:
    """The declared keys of a dataclass, in its order, with dotted names; those of nested ones after their section's."""
    found: list[DeclaredKey] = []
    types = get_type_hints(node)
    for entry in fields(node):
        name, annotation = f"{prefix}{entry.name}", types[entry.name]
        if METADATA in entry.metadata:
            found.append(_declared(name, entry, annotation))
        elif hasattr(annotation, "__dataclass_fields__"):
            found += declared_in(annotation, f"{name}.")
    return found


def _declared(name: str, entry: "Field[Any]", annotation: Any) -> DeclaredKey:
    kinds = [kind for kind in get_args(annotation) or (annotation,) if kind is not type(None)]
    optional = isinstance(annotation, UnionType) and type(None) in get_args(annotation)
    kind = kinds[0]
    choices = tuple(str(member) for member in kind) if issubclass(kind, StrEnum) else ()
    default = entry.default_factory() if entry.default_factory is not MISSING else entry.default
    return DeclaredKey(
        name, entry.metadata[METADATA], default, choices, "enumeration" if choices else kind.__name__, optional
    )


_COMPARED = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


def _range(kind: str, unit: str, bounds: Mapping[str, float]) -> str:
    if kind == "bool":
        return "true or false"
    noun = {"int": "a whole number", "float": "a number"}.get(kind, "text")
    noun = f"{noun} of {unit}" if unit else noun
    limits = " and ".join(f"{_COMPARED[name]} {bound:,}" for name, bound in bounds.items())
    return f"{noun} {limits}" if limits else noun
