"""The trackers that runs can be written to as well, beside their own files. None of them is imported here."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from rnn_mnist.catalogues.catalogue import Catalogue
from rnn_mnist.errors import ExpectedError

NONE = "none"
_ROOM = "rnn_mnist.training.trackers"


class TrackerError(ExpectedError):
    """A tracker that there is not, or whose package is not installed; the message names the key and the value."""


@dataclass(frozen=True)
class TrackerSpec:
    """A tracker.

    Attributes:
        name: of the option, ``tracker=<name>``.
        tracker: dotted path of its class, a :class:`rnn_mnist.training.trackers.tracker.Tracker`.
        description: what it does with a run, in a sentence without its full stop.
        module: what must be installed for it.
        install: the command that installs that; empty where it is not known.
        preload: whether the module of its class may be imported before a sweep's jobs are forked: it starts no thread.
    """

    name: str
    tracker: str
    description: str
    module: str
    install: str = ""
    preload: bool = False

    def refuse_absent(self) -> None:
        """Refuse it if what it needs is not installed; nothing but packages around that is imported.

        Raises:
            TrackerError: naming what to install.
        """
        try:
            found = find_spec(self.module) is not None
        except (ImportError, ValueError):
            found = False
        if not found:
            remedy = f"; {self.install}" if self.install else ""
            raise TrackerError(f"tracker={self.name}: the module {self.module} is not installed{remedy}")


def _of_an_extra(name: str, tracker: str, description: str) -> TrackerSpec:
    install = f"pip install -e '.[{name}]'"
    return TrackerSpec(name, f"{_ROOM}.{name}.{tracker}", description, name, install, preload=True)


TRACKERS = Catalogue(
    "trackers",
    TrackerSpec,
    (
        _of_an_extra("tensorboard", "TensorBoardTracker", "event files in the run's directory, with HParams"),
        _of_an_extra("mlflow", "MLflowTracker", "a child run of the sweep's run, in a local SQLite store or a server"),
        _of_an_extra("wandb", "WandbTracker", "a W&B run in the sweep's group, offline where no key is configured"),
    ),
)


def chosen_trackers(value: Any) -> tuple[TrackerSpec, ...]:
    """What the key ``tracker`` says: a name, a dotted path of a class, or a list of such; each once.

    Raises:
        TrackerError: if there is no such tracker.
    """
    names = list(value) if isinstance(value, list | tuple) else [value]
    return tuple(find_tracker(name) for name in dict.fromkeys(map(_text, names)) if name != NONE)


def refuse_absent(trackers: Iterable[TrackerSpec]) -> None:
    """Refuse what is not installed; see :meth:`TrackerSpec.refuse_absent`."""
    for spec in trackers:
        spec.refuse_absent()


def preloaded(trackers: Iterable[TrackerSpec]) -> list[str]:
    """The modules to import before a sweep's jobs are forked, of those that are installed."""
    return [spec.tracker.rpartition(".")[0] for spec in trackers if spec.preload and find_spec(spec.module) is not None]


def find_tracker(name: str) -> TrackerSpec:
    """The tracker of that name or dotted path.

    Raises:
        TrackerError: if there is none.
    """
    if name in TRACKERS:
        return TRACKERS[name]
    module, _, attribute = name.rpartition(".")
    if all(part.isidentifier() for part in (*module.split("."), attribute)):
        return TrackerSpec(name, name, "a class of one's own", module, "Python does not find it")
    raise _no_tracker(name)


def _text(name: Any) -> str:
    if name is None:
        return NONE
    if not isinstance(name, str):
        raise _no_tracker(name)
    return name


def _no_tracker(name: Any) -> TrackerError:
    allowed = ", ".join((NONE, *TRACKERS))
    return TrackerError(f"tracker={name}: must be one of {allowed}, the dotted path of a class, or a list of them")
