"""The exponential moving average of a network's weights, which is evaluated in their place."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn


class WeightAverage:
    """An average over the steps of training (Polyak and Juditsky 1992; exponential, as it is used since).

    The first averages would be the initial weights for long: the decay of update ``n`` is at most
    ``(1 + n) / (10 + n)``, as in TensorFlow's ``ExponentialMovingAverage``.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], decay: float) -> None:
        """Begin with the parameters as they are; ``decay`` is the share of the average that a step leaves, 0 to 1."""
        self._parameters, self._decay = list(parameters), decay
        self._average = [parameter.detach().clone() for parameter in parameters]
        self._updates = 0

    def update(self) -> None:
        """Note the weights after a step."""
        self._updates += 1
        decay = min(self._decay, (1 + self._updates) / (10 + self._updates))
        with torch.no_grad():
            torch._foreach_lerp_(self._average, cast(list[Tensor], self._parameters), 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Give the network the averaged weights for a while, at the same places in memory."""
        kept = [parameter.detach().clone() for parameter in self._parameters]
        self._put(self._average)
        try:
            yield
        finally:
            self._put(kept)

    def _put(self, values: Sequence[Tensor]) -> None:
        with torch.no_grad():
            for parameter, value in zip(self._parameters, values, strict=True):
                parameter.copy_(value)

    def state_dict(self) -> dict[str, Any]:
        """What the next update depends on."""
        return {"average": self._average, "updates": self._updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where :meth:`state_dict` was taken."""
        for average, value in zip(self._average, state["average"], strict=True):
            average.copy_(value)
        self._updates = state["updates"]
