"""Random streams of a run: each derived from its seed, its purpose and the epoch, never from global state.

Because a stream starts anew with each epoch, an interrupted run continues exactly without any generator's state, and
nothing that another run draws can change it.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derive_seed(seed: int, purpose: str, epoch: int = 0) -> int:
    """A 63-bit seed that differs for each seed, purpose and epoch (SHA-256, so that near seeds share nothing)."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{epoch}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(seed: int, purpose: str, epoch: int = 0) -> torch.Generator:
    """A CPU generator of its own, so that a stream is the same whatever device uses it."""
    return torch.Generator().manual_seed(derive_seed(seed, purpose, epoch))


@contextmanager
def global_stream(seed: int, purpose: str, epoch: int = 0, *, device: torch.device) -> Iterator[None]:
    """The global generators of CPU and device seeded for what accepts no generator (initialization, dropout).

    Those of the CPU and of a CUDA device are put back afterwards.
    """
    stream_seed = derive_seed(seed, purpose, epoch)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(stream_seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(stream_seed)
        elif device.type == "mps":
            torch.mps.manual_seed(stream_seed)
        yield
