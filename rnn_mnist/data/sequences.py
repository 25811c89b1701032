"""How a batch of images becomes a batch of sequences, and how training images are augmented; all on the device."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from rnn_mnist.configuration.schema import (
    IMAGE_SIZE,
    AugmentationConfig,
    PermutedPixelsConfig,
    RandomLengthConfig,
    SequenceConfig,
    SequenceKind,
)
from rnn_mnist.data.seeding import generator


def to_sequences(images: Tensor, kind: SequenceKind, permutation: Tensor | None = None) -> Tensor:
    """Grey values ``[batch, 28, 28]`` as sequences ``[batch, time, feature]``.

    ``permutation`` is the order of the 784 pixels, for ``permuted_pixels`` alone.
    """
    match kind:
        case SequenceKind.rows | SequenceKind.random_length:
            return images  # [batch, time=28 rows, feature=28 columns]
        case SequenceKind.columns:
            return images.transpose(1, 2)  # [batch, time=28 columns, feature=28 rows]
        case SequenceKind.pixels:
            return images.reshape(len(images), -1, 1)  # [batch, time=784, feature=1]
        case SequenceKind.permuted_pixels:
            if permutation is None:
                raise ValueError("permuted_pixels needs a permutation")
            return images.reshape(len(images), -1)[:, permutation].unsqueeze(2)


def pixel_permutation(seed: int) -> Tensor:
    """The order of the 784 pixels, ``[784]``, drawn from ``sequence.permutation_seed``."""
    return torch.randperm(IMAGE_SIZE * IMAGE_SIZE, generator=generator(seed, "permutation"))


def random_lengths(count: int, min_rows: int, seed: int, part: str) -> Tensor:
    """Rows of each of ``count`` images, ``[count]``, evenly from ``min_rows`` to 28; ``part``: ``train``, ``test``."""
    return torch.randint(min_rows, IMAGE_SIZE + 1, (count,), generator=generator(seed, f"lengths/{part}"))


@dataclass(frozen=True)
class SequenceReader:
    """Turns uint8 images into the sequences of one configuration.

    Attributes:
        kind: how an image is read.
        permutation: order of the pixels ``[784]`` on the device, or None.
        lengths: valid time steps of each image of the part ``[image]``, on the CPU (where packing wants them), or None.
    """

    kind: SequenceKind
    permutation: Tensor | None
    lengths: Tensor | None

    @classmethod
    def create(cls, config: SequenceConfig, count: int, part: str, device: torch.device) -> "SequenceReader":
        """The reader for the ``count`` images of ``part`` (``train`` or ``test``)."""
        permutation = lengths = None
        if isinstance(config, PermutedPixelsConfig):
            permutation = pixel_permutation(config.permutation_seed).to(device)
        if isinstance(config, RandomLengthConfig):
            lengths = random_lengths(count, config.min_rows, config.length_seed, part)
        return cls(config.kind, permutation, lengths)

    def read(self, images: Tensor, indices: Tensor) -> tuple[Tensor, Tensor | None]:
        """Sequences ``[batch, time, feature]`` in [0, 1] and lengths ``[batch]`` (or None).

        ``images`` are grey values ``[batch, 28, 28]`` of 0 to 255, in the order of ``indices`` (``[batch]``, CPU).
        """
        scaled = images.to(torch.float32).div_(255)
        sequences = to_sequences(scaled, self.kind, self.permutation)
        return sequences, None if self.lengths is None else self.lengths[indices]


def augment(images: Tensor, config: AugmentationConfig, stream: torch.Generator) -> Tensor:
    """Shift, rotate and scale each image ``[batch, 28, 28]`` by its own random amount, with bilinear interpolation.

    The amounts are drawn from the CPU generator ``stream``; what moves in from outside is black.
    """
    count = len(images)

    def draw(largest: float) -> Tensor:
        return (torch.rand(count, generator=stream) * 2 - 1) * largest

    angle = draw(math.radians(config.max_rotation))
    scale = 1 + draw(config.max_scale)
    # affine_grid maps output to input coordinates in [-1, 1], so that one pixel is 2/28 and sizes are inverted.
    shift_x, shift_y = draw(config.max_shift) * 2 / IMAGE_SIZE, draw(config.max_shift) * 2 / IMAGE_SIZE
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    rows = [torch.stack([cos, -sin, shift_x], 1), torch.stack([sin, cos, shift_y], 1)]
    theta = torch.stack(rows, 1).to(images.device)  # [batch, 2, 3]
    grid = functional.affine_grid(theta, [count, 1, IMAGE_SIZE, IMAGE_SIZE], align_corners=False)
    moved = functional.grid_sample(images.to(torch.float32).unsqueeze(1), grid, align_corners=False)
    return moved.squeeze(1)
