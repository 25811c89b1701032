"""A catalogue: the members of one kind by name, the package's own and those that installed packages bring."""

from collections.abc import Iterator, MutableMapping
from importlib import metadata
from typing import Generic, Protocol, TypeVar

from rnn_mnist.errors import ExpectedError


class CatalogueError(ExpectedError):
    """An entry that cannot be used; the message names the package that brings it."""


class Named(Protocol):
    """What stands in a catalogue."""

    @property
    def name(self) -> str:
        """How it is chosen."""


Member = TypeVar("Member", bound=Named)


class Catalogue(MutableMapping[str, Member], Generic[Member]):
    """Members in their order: first the package's own, then those of other packages, by entry points.

    A package brings members by an entry point in the group ``rnn_mnist.<kind>`` whose object is a member, or a list of
    them. They are looked for when the catalogue is first read.
    """

    def __init__(self, kind: str, member_type: type[Member], own: tuple[Member, ...]) -> None:
        """``kind``: the plural that names the entry point's group, such as ``cells``."""
        self.kind, self._type = kind, member_type
        self._own = own
        self._members: dict[str, Member] | None = None

    def __getitem__(self, name: str) -> Member:
        """The member of that name; KeyError if there is none."""
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        """The names in order."""
        return iter(self._all())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._all())

    def __setitem__(self, name: str, member: Member) -> None:
        """Add or replace a member for this process."""
        self._all()[name] = member

    def __delitem__(self, name: str) -> None:
        """Take a member out for this process."""
        del self._all()[name]

    def _all(self) -> dict[str, Member]:
        if self._members is None:
            members = {member.name: member for member in self._own}
            for entry in metadata.entry_points(group=f"rnn_mnist.{self.kind}"):
                where = f"entry point {entry.name}={entry.value} of {entry.dist.name if entry.dist else 'a package'}"
                try:
                    loaded = entry.load()
                except Exception as error:
                    raise CatalogueError(f"{where}: cannot be loaded: {type(error).__name__}: {error}") from error
                for member in loaded if isinstance(loaded, list | tuple) else [loaded]:
                    self._add(members, member, where)
            self._members = members
        return self._members

    def _add(self, members: dict[str, Member], member: Member, where: str) -> None:
        if not isinstance(member, self._type):
            raise CatalogueError(f"{where}: {member!r} is no {self._type.__name__}")
        if member.name in members:
            raise CatalogueError(f"{where}: the name {member.name} is taken in rnn_mnist.{self.kind}")
        members[member.name] = member
