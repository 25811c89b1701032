"""The GPUs that this process may use: what ``CUDA_VISIBLE_DEVICES`` leaves of the machine's, read as CUDA reads it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hydra_plugins.workstation_launcher._cards import Card

RESTRICTION = "CUDA_VISIBLE_DEVICES"

_NUMBER = re.compile(r"\s*\+?([0-9]+)")
_OLD_INSTANCE = re.compile(r"MIG-(GPU-[\w-]+)/\d+/\d+", re.ASCII)
"""How drivers before R470 name a MIG instance."""


class NoSuchGpuError(Exception):
    """A GPU that this process may not use, or that there is not; the message says which there are."""


@dataclass(frozen=True)
class Gpu:
    """A GPU, or a MIG instance of one, that this process may use."""

    name: str
    """What people read: ``GPU 0``, ``GPU 0 MIG 1``; the numbers are the user's own, else those of ``nvidia-smi``."""
    entry: str
    """The value of ``CUDA_VISIBLE_DEVICES`` with which a process has it alone."""
    uuid: str | None
    """None where only CUDA, which counts the fastest card first, could tell."""

    @property
    def choice(self) -> str:
        """How ``hydra.launcher.devices`` names it: by its number, a MIG instance by its UUID."""
        return self.entry if "MIG" in self.name else self.name.removeprefix("GPU ")


@dataclass(frozen=True)
class Visible:
    """What of the machine's GPUs is there to be used."""

    gpus: tuple[Gpu, ...]
    complaint: str = ""
    """What of ``CUDA_VISIBLE_DEVICES`` names nothing, or which card cannot be used."""


def names_gpus(restriction: str | None) -> bool:
    """Whether a value of ``CUDA_VISIBLE_DEVICES`` asks for GPUs, rather than for none (``-1``, ``NoDevFiles``)."""
    if restriction is None:
        return False
    return restriction.startswith(("GPU-", "MIG-")) or _NUMBER.match(restriction) is not None


def visible_gpus(cards: Sequence[Card], environment: Mapping[str, str]) -> Visible:
    """What ``CUDA_VISIBLE_DEVICES`` leaves, in its order.

    CUDA reads a list of numbers, or one of UUIDs, of which beginnings will do, as far as its first entry that names
    nothing; and sees no GPU at all where one is named twice ("CUDA Environment Variables" of NVIDIA's programming
    guide; ``torch.cuda._parse_visible_devices``).
    """
    restriction = environment.get(RESTRICTION)
    if restriction is None:
        return _all(cards)
    if not names_gpus(restriction):
        return Visible(())
    kind = next((kind for kind in ("GPU-", "MIG-") if restriction.startswith(kind)), None)
    order_is_known = environment.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID" or len({card.model for card in cards}) == 1
    gpus: list[Gpu] = []
    complaint = ""
    for entry in restriction.split(","):
        gpu = _numbered(entry, cards, order_is_known=order_is_known) if kind is None else _called(entry, kind, cards)
        if gpu is None:
            complaint = f"{RESTRICTION}={restriction}: {_nothing(entry, cards)}"
            break
        if gpu in gpus:
            return Visible((), f"{RESTRICTION}={restriction}: {entry} is there twice, and CUDA then sees no GPU")
        gpus.append(gpu)
    return Visible(tuple(gpus), complaint)


def choose(names: Sequence[str], visible: Visible) -> tuple[Gpu, ...]:
    """The GPUs that ``hydra.launcher.devices`` names.

    Raises:
        NoSuchGpuError: if a name is that of none of them, or of several, or if two are those of one.
    """
    chosen: list[Gpu] = []
    for name in names:
        gpu = _chosen(name, visible)
        if gpu in chosen:
            raise NoSuchGpuError(f"{name} is there twice")
        chosen.append(gpu)
    return tuple(chosen)


def _all(cards: Sequence[Card]) -> Visible:
    gpus: list[Gpu] = []
    problems = []
    for index, card in enumerate(cards):
        if card.problem:
            problems.append(f"GPU {index} is left out: {card.problem}")
        elif card.instances is None:
            gpus.append(Gpu(f"GPU {index}", card.uuid, card.uuid))
        else:
            gpus += [Gpu(f"GPU {index} MIG {place}", uuid, uuid) for place, uuid in enumerate(card.instances)]
    return Visible(tuple(gpus), "; ".join(problems))


def _numbered(entry: str, cards: Sequence[Card], *, order_is_known: bool) -> Gpu | None:
    number = _NUMBER.match(entry)
    if number is None or int(number[1]) >= len(cards):
        return None
    index = int(number[1])
    if order_is_known and cards[index].problem:
        return None
    return Gpu(f"GPU {index}", str(index), cards[index].uuid if order_is_known else None)


def _called(entry: str, kind: str, cards: Sequence[Card]) -> Gpu | None:
    if not entry.startswith(kind):
        return None
    if old := _OLD_INSTANCE.fullmatch(entry):
        return Gpu(entry, entry, None) if any(card.uuid == old[1] for card in cards) else None
    # Of a card that is split CUDA takes the first instance.
    whole = [Gpu(f"GPU {index}", card.uuid, card.uuid) for index, card in enumerate(cards) if card.instances]
    every = [*_all(cards).gpus, *whole]
    found = [gpu for gpu in every if gpu.uuid is not None and gpu.uuid.startswith(entry)]
    return found[0] if len(found) == 1 else None


def _nothing(entry: str, cards: Sequence[Card]) -> str:
    if not cards:
        return "there is no NVIDIA GPU here"
    count = f"{len(cards)} GPUs" if len(cards) > 1 else "one GPU"
    return f"{entry.strip() or 'an empty entry'} names none of this machine's {count}, and CUDA reads no further"


def _chosen(name: str, visible: Visible) -> Gpu:
    if name.isdecimal():
        found = [gpu for gpu in visible.gpus if gpu.name == f"GPU {int(name)}"]
    else:
        found = [gpu for gpu in visible.gpus if name in (gpu.entry, gpu.uuid)] or [
            gpu for gpu in visible.gpus if gpu.uuid is not None and gpu.uuid.startswith(name)
        ]
    if len(found) == 1:
        return found[0]
    there = ", ".join(gpu.choice for gpu in visible.gpus) or "no GPU"
    if found:
        raise NoSuchGpuError(f"{name} is the beginning of {len(found)} UUIDs; visible: {there}")
    if not name.isdecimal() and any(gpu.uuid is None for gpu in visible.gpus):
        raise NoSuchGpuError(
            f"{name}: which of {RESTRICTION}'s numbers it has cannot be told, for CUDA counts the fastest card first; "
            f"with CUDA_DEVICE_ORDER=PCI_BUS_ID it counts as nvidia-smi does"
        )
    raise NoSuchGpuError(f"{name} is not visible here; visible: {there}")
