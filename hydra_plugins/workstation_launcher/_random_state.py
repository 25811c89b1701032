"""What forked jobs draw: the numbers of a program that has seeded them, and else each job its own.

A program that seeds its generators before its task is called has the same numbers in each job, as it would have in a
single run. One that does not must not: its jobs are copies of one process, and would draw alike. Which of the two it is
can be told from the generators themselves: of Python's and of NumPy's old ones from their state
(``_mersenne_twister``); NumPy's new ones remember what the system gave them, and PyTorch its seed.
"""

import gc
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hydra_plugins.workstation_launcher._mersenne_twister import is_seeded

_FROM_SYSTEM = 2**96
"""NumPy takes 128 bits; fewer than this are somebody's own, but for one in four billion."""
_SHORT_SEED = 2**32
"""PyTorch takes 53 or 64 bits from the system: less than this is somebody's own, but for one in two million."""
_MOST_BLOCKS = 16
"""That are looked through for the seeding of a generator other than the one that is everybody's."""


class RandomState:
    """The generators of this process, as its forks are to have them."""

    def __init__(self) -> None:
        """Look at those that there are now."""
        state = random.getstate()
        # A fork seeds this one anew by itself: the random module sees to that.
        self._python = state if is_seeded(state[1][:-1]) else None
        self._seed_anew: list[Callable[[], object]] = list(_unseeded())

    def restore(self) -> None:
        """In a forked process, give the seeded generators their state, and the others one of their own."""
        if self._python is not None:
            random.setstate(self._python)
        for seed in self._seed_anew:
            seed()


def _unseeded() -> Iterator[Callable[[], object]]:
    shared = getattr(random.getstate, "__self__", None)  # whose methods the module's functions are
    numpy_random: Any = sys.modules.get("numpy.random")
    for each in gc.get_objects():
        kind = type(each)
        if issubclass(kind, random.Random) and not issubclass(kind, random.SystemRandom):
            if each is not shared and not _is_seeded(each):
                yield each.seed
        elif numpy_random is not None and issubclass(kind, numpy_random.BitGenerator) and not _is_seeded_numpy(each):
            yield _seed_of_numpy(each)
    generator = getattr(sys.modules.get("torch"), "default_generator", None)
    if generator is not None and not _is_seeded_torch(generator):
        yield generator.seed


def _seed_of_numpy(generator: Any) -> Callable[[], object]:
    def seed() -> None:
        generator.state = type(generator)().state

    return seed


def _is_seeded(generator: random.Random) -> bool:
    """An instance of ``random.Random``; one that is not its base class's kind is left as it is."""
    try:
        return is_seeded(generator.getstate()[1][:-1], _MOST_BLOCKS)
    except Exception:
        return True


def _is_seeded_numpy(generator: Any) -> bool:
    """A ``BitGenerator``."""
    sequence = getattr(generator, "seed_seq", None)
    if sequence is None:  # as numpy.random.seed leaves it
        key = generator.state["state"].get("key")
        return key is None or is_seeded(key.tolist()) if type(generator).__name__ == "MT19937" else True
    entropy = getattr(sequence, "entropy", None)
    return not isinstance(entropy, int) or entropy < _FROM_SYSTEM or _is_written(entropy)


def _is_seeded_torch(generator: Any) -> bool:
    """PyTorch's default generator of the CPU."""
    seed: int = generator.initial_seed()
    if seed < _SHORT_SEED or seed >= 2**64 - _SHORT_SEED:  # a small number, or one below zero
        return True
    # torch.manual_seed leaves word for CUDA, which has not been started here.
    tracker = getattr(sys.modules.get("torch.cuda"), "_lazy_seed_tracker", None)
    return getattr(tracker, "manual_seed_all_cb", None) is not None or _is_written(seed)


def _is_written(number: int) -> bool:
    """Whether a long number stands in the program itself, as NumPy's documentation advises, or in its command."""
    forms = (str(number), hex(number)[2:])
    return any(form in text for text in _program() for form in forms)


def _program() -> Iterator[str]:
    yield " ".join(map(str, sys.argv))
    for module in list(sys.modules.values()):
        path = str(getattr(module, "__file__", None) or "")
        if path.endswith(".py") and "site-packages" not in path and not path.startswith((sys.base_prefix, sys.prefix)):
            try:
                yield Path(path).read_text(encoding="utf-8").replace("_", "").lower()
            except (OSError, ValueError):
                continue
