"""How a batch of images becomes a batch of sequences, on the device."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from rnn_mnist.catalogues.sequences import IMAGE_SIZE, PIXELS, SEQUENCES, SequenceConfig
from rnn_mnist.data.seeding import generator


def pixel_permutation(seed: int, count: int = IMAGE_SIZE * IMAGE_SIZE) -> Tensor:
    """One random order of ``count`` pixels, ``[count]``, drawn from ``sequence.permutation_seed``."""
    return torch.randperm(count, generator=generator(seed, "permutation"))


def random_lengths(count: int, min_rows: int, seed: int, part: str) -> Tensor:
    """Rows of each of ``count`` images, ``[count]``, evenly from ``min_rows`` to 28; ``part``: ``train``, ``test``."""
    return torch.randint(min_rows, IMAGE_SIZE + 1, (count,), generator=generator(seed, f"lengths/{part}"))


@dataclass(frozen=True)
class SequenceReader:
    """Turns uint8 images into the sequences of one configuration.

    Attributes:
        shape: the (longest) number of time steps and the features of each.
        averaged: the side of the squares of pixels that are averaged into one first.
        order: the pixel (of the averaged image, from 0) at each place, ``[time * feature]`` on the device; None where
            the image's own memory is read, row by row or column by column.
        by_column: whether it is column by column.
        lengths: valid time steps of each image of the part ``[image]``, on the CPU (where packing wants them), or None.
    """

    shape: tuple[int, int]
    averaged: int
    order: Tensor | None
    by_column: bool
    lengths: Tensor | None

    @classmethod
    def create(cls, config: SequenceConfig, count: int, part: str, device: torch.device) -> "SequenceReader":
        """The reader for the ``count`` images of ``part`` (``train`` or ``test``)."""
        spec = SEQUENCES[config.kind]
        order = spec.order(config, lambda seed, count=PIXELS.size: pixel_permutation(seed, count).numpy())
        by_column = np.array_equal(order, PIXELS.T)
        in_memory = by_column or np.array_equal(order.ravel(), np.arange(order.size))
        lengths = None
        if spec.lengths is not None:
            min_rows, seed = spec.lengths(config)
            lengths = random_lengths(count, min_rows, seed, part)
        # A copy, because torch takes no view that runs backwards.
        gathered = None if in_memory else torch.from_numpy(order.ravel().copy()).to(device)
        return cls((order.shape[0], order.shape[1]), spec.averaged, gathered, by_column, lengths)

    def read(self, images: Tensor, indices: Tensor) -> tuple[Tensor, Tensor | None]:
        """Sequences ``[batch, time, feature]`` in [0, 1] and lengths ``[batch]`` (or None).

        ``images`` are grey values ``[batch, 28, 28]`` of 0 to 255, in the order of ``indices`` (``[batch]``, CPU).
        """
        scaled = images.to(torch.float32).div_(255)
        return self.arrange(scaled), None if self.lengths is None else self.lengths[indices]

    def arrange(self, images: Tensor) -> Tensor:
        """Grey values ``[batch, 28, 28]`` as sequences ``[batch, time, feature]``."""
        if self.by_column:
            return images.transpose(1, 2)
        if self.averaged > 1:
            images = functional.avg_pool2d(images, self.averaged)
        flat = images.reshape(len(images), -1)
        return (flat if self.order is None else flat[:, self.order]).reshape(len(images), *self.shape)
