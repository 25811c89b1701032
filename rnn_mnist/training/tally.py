"""What the steps of an epoch measured, kept on the device so that nobody has to wait for it."""

import torch
from torch import Tensor


class Tally:
    """Losses, gradient norms and hits of one epoch, at the same places in memory in every epoch.

    Attributes:
        losses: of each step, summed over its images, ``[step]``.
        norms: of each step's gradient, ``[step]``.
        correct: images so far.
    """

    def __init__(self, steps: int, device: torch.device) -> None:
        """Room for the ``steps`` of an epoch."""
        self.losses, self.norms = torch.zeros(steps, device=device), torch.zeros(steps, device=device)
        self.correct = torch.zeros((), dtype=torch.int64, device=device)
        self._place = torch.arange(steps, device=device)
        self._step = torch.zeros((), dtype=torch.int64, device=device)

    def begin(self) -> None:
        """Begin an epoch."""
        for tensor in (self.losses, self.norms, self.correct, self._step):
            tensor.zero_()

    def add(self, loss: Tensor, norm: Tensor, correct: Tensor) -> None:
        """Note the next step.

        Its number is on the device too, and is compared rather than indexed with: a CUDA graph does the same each time,
        and indexing by a tensor sorts it first where algorithms are to be deterministic.
        """
        here = self._place == self._step
        torch.where(here, loss, self.losses, out=self.losses)
        torch.where(here, norm, self.norms, out=self.norms)
        self.correct += correct
        self._step += 1
