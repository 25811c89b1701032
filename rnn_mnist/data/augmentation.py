"""Random changes of training images: drawn on the CPU, so that a seed means the same ones everywhere, and then applied.

Shift, rotation and scale are one affine map. The elastic deformation is that of Simard, Steinkraus and Platt (2003,
"Best practices for convolutional neural networks applied to visual document analysis"): a random displacement of each
pixel, smoothed by a Gaussian with a standard deviation of 4 pixels.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from rnn_mnist.catalogues.sequences import IMAGE_SIZE
from rnn_mnist.configuration.schema import AugmentationConfig

_SMOOTHING = 4.0  # pixels
_REACH = 12  # pixels, three standard deviations


@dataclass(frozen=True)
class Moves:
    """What is done to each of a batch's images; None: nothing of the kind.

    Attributes:
        affine: the map from output to input coordinates, ``[batch, 2, 3]``.
        noise: standard normal, ``[batch, 2, 28, 28]``, of which the elastic displacement is made.
        elastic: the standard deviation of that displacement, pixels.
        kept: whether each row stays, bool ``[batch, 28]``.
    """

    affine: Tensor | None
    noise: Tensor | None = None
    elastic: float = 0.0
    kept: Tensor | None = None

    def to(self, device: torch.device) -> "Moves":
        """The same there."""
        there = [
            None if part is None else part.to(device, non_blocking=True)
            for part in (self.affine, self.noise, self.kept)
        ]
        return Moves(there[0], there[1], self.elastic, there[2])


def draw_moves(count: int, config: AugmentationConfig, stream: torch.Generator) -> Moves:
    """How each of ``count`` images is changed, drawn from the CPU generator; what is off draws nothing."""

    def draw(largest: float) -> Tensor:
        return (torch.rand(count, generator=stream) * 2 - 1) * largest

    affine = noise = kept = None
    if config.max_rotation or config.max_scale or config.max_shift:
        angle = draw(math.radians(config.max_rotation))
        scale = 1 + draw(config.max_scale)
        # affine_grid maps output to input coordinates in [-1, 1], so that one pixel is 2/28 and sizes are inverted.
        shift_x, shift_y = draw(config.max_shift) * 2 / IMAGE_SIZE, draw(config.max_shift) * 2 / IMAGE_SIZE
        cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
        rows = [torch.stack([cos, -sin, shift_x], 1), torch.stack([sin, cos, shift_y], 1)]
        affine = torch.stack(rows, 1)
    if config.elastic:
        noise = torch.randn(count, 2, IMAGE_SIZE, IMAGE_SIZE, generator=stream)
    if config.row_dropout:
        kept = torch.rand(count, IMAGE_SIZE, generator=stream) >= config.row_dropout
    return Moves(affine, noise, config.elastic, kept)


def augment(images: Tensor, moves: Moves) -> Tensor:
    """Change each image ``[batch, 28, 28]`` as :func:`draw_moves` says, with bilinear interpolation.

    What moves in from outside is black, and so is a row that is dropped.
    """
    changed = images.to(torch.float32)
    if moves.affine is not None or moves.noise is not None:
        affine = moves.affine
        if affine is None:
            affine = torch.eye(2, 3, device=images.device).expand(len(images), 2, 3)
        grid = functional.affine_grid(affine, [len(images), 1, IMAGE_SIZE, IMAGE_SIZE], align_corners=False)
        if moves.noise is not None:
            grid = grid + displacement(moves.noise, moves.elastic).permute(0, 2, 3, 1) * 2 / IMAGE_SIZE
        changed = functional.grid_sample(changed.unsqueeze(1), grid, align_corners=False).squeeze(1)
    if moves.kept is not None:
        changed = changed * moves.kept.unsqueeze(2)
    return changed


def displacement(noise: Tensor, deviation: float) -> Tensor:
    """Smooth displacements of so many pixels (standard deviation), ``[batch, 2, 28, 28]``, of standard normal noise.

    Towards the borders, where less noise is averaged, they are smaller.
    """
    reach = torch.arange(-_REACH, _REACH + 1, device=noise.device, dtype=noise.dtype)
    weights = torch.exp(-(reach**2) / (2 * _SMOOTHING**2))
    weights = weights / weights.square().sum().sqrt()  # along one axis: the sum of its squares is the variance left
    flat = noise.reshape(-1, 1, IMAGE_SIZE, IMAGE_SIZE)
    smooth = functional.conv2d(flat, weights.view(1, 1, -1, 1), padding=(_REACH, 0))
    smooth = functional.conv2d(smooth, weights.view(1, 1, 1, -1), padding=(0, _REACH))
    return smooth.reshape(noise.shape) * deviation
