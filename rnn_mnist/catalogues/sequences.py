"""The orders in which a 28x28 image is read: each says which pixels stand at which time step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from omegaconf import MISSING

from rnn_mnist.catalogues.catalogue import Catalogue
from rnn_mnist.catalogues.keys import key

IMAGE_SIZE = 28
PIXELS = np.arange(IMAGE_SIZE * IMAGE_SIZE).reshape(IMAGE_SIZE, IMAGE_SIZE)
"""The indices ``[row, column]`` of an image's pixels when it lies flat."""


class Shuffle(Protocol):
    """Draws one random order."""

    def __call__(self, seed: int, count: int = IMAGE_SIZE * IMAGE_SIZE) -> np.ndarray:
        """From a seed to an order of so many pixels, ``[count]``."""


@dataclass
class SequenceConfig:
    """How an image becomes ``[time, feature]``."""

    kind: str = key(
        MISSING, "the order in which an image is read, set by the choice of sequence=...", label="sequence",
        shares_noise=True,
    )  # fmt: skip


@dataclass
class RowsConfig(SequenceConfig):
    """One row a time step, from the top."""

    kind: str = "rows"


@dataclass
class ColumnsConfig(SequenceConfig):
    """One column a time step, from the left."""

    kind: str = "columns"


@dataclass
class PixelsConfig(SequenceConfig):
    """One pixel a time step."""

    kind: str = "pixels"


@dataclass
class PermutedPixelsConfig(SequenceConfig):
    """Pixels in one fixed random order (Le et al. 2015, arXiv:1504.00941)."""

    kind: str = "permuted_pixels"
    permutation_seed: int = key(0, "draws the order of the pixels", ge=0, replicate=True)


@dataclass
class AveragedPixels14Config(SequenceConfig):
    """One pixel a time step, of the image averaged to 14x14."""

    kind: str = "pixels_14x14"


@dataclass
class AveragedPixels7Config(SequenceConfig):
    """One pixel a time step, of the image averaged to 7x7."""

    kind: str = "pixels_7x7"


@dataclass
class PermutedAveragedPixels14Config(PermutedPixelsConfig):
    """Pixels of the image averaged to 14x14, in one fixed random order."""

    kind: str = "permuted_pixels_14x14"


@dataclass
class PermutedAveragedPixels7Config(PermutedPixelsConfig):
    """Pixels of the image averaged to 7x7, in one fixed random order."""

    kind: str = "permuted_pixels_7x7"


@dataclass
class RandomLengthConfig(SequenceConfig):
    """The first rows of each image, as packed sequences of unequal lengths."""

    kind: str = "random_length"
    min_rows: int = key(
        14, "the fewest rows; the number is drawn once per image, evenly from this to 28", ge=1, le=IMAGE_SIZE,
        unit="rows", shares_noise=True,
    )  # fmt: skip
    length_seed: int = key(0, "draws the lengths", ge=0, replicate=True)


@dataclass(frozen=True)
class SequenceSpec:
    """An order of reading.

    Attributes:
        name: of the option, ``sequence=<name>``.
        reads: what a time step is, in words.
        config: its keys.
        shape: the (longest) number of time steps and the features of each.
        order: from the configuration and a :data:`Shuffle` to the pixel at each place, int ``[time, feature]`` with
            values of 0 to 783, or of the averaged image's pixels.
        lengths: from the configuration to the fewest valid steps and the seed that draws each image's number of them;
            None: all are valid.
        averaged: the side of the squares of pixels that are averaged into one first, a divisor of 28; 1: none are.
    """

    name: str
    reads: str
    config: type[SequenceConfig]
    shape: tuple[int, int]
    order: Callable[[Any, Shuffle], np.ndarray]
    lengths: Callable[[Any], tuple[int, int]] | None = None
    averaged: int = 1


def _by_pixel(side: int, config: type[SequenceConfig], *, permuted: bool) -> SequenceSpec:
    """One pixel a time step of an image whose side is so long."""

    def order(config: Any, draw: Shuffle) -> np.ndarray:
        pixels = draw(config.permutation_seed, side * side) if permuted else np.arange(side * side)
        return pixels.reshape(-1, 1)

    averaged = "" if side == IMAGE_SIZE else f" of the image averaged to {side}x{side}"
    how = "in one random order for all images" if permuted else "in reading order"
    reads = f"one pixel a time step{averaged}, {how}"
    return SequenceSpec(config().kind, reads, config, (side * side, 1), order, averaged=IMAGE_SIZE // side)


_ROWS = (IMAGE_SIZE, IMAGE_SIZE)

SEQUENCES = Catalogue(
    "sequences",
    SequenceSpec,
    (
        SequenceSpec(
            "rows", "one row of the image a time step, from the top", RowsConfig, _ROWS, lambda _config, _draw: PIXELS
        ),
        SequenceSpec(
            "columns",
            "one column of the image a time step, from the left",
            ColumnsConfig,
            _ROWS,
            lambda _config, _draw: PIXELS.T,
        ),
        _by_pixel(28, PixelsConfig, permuted=False),
        _by_pixel(28, PermutedPixelsConfig, permuted=True),
        _by_pixel(14, AveragedPixels14Config, permuted=False),
        _by_pixel(14, PermutedAveragedPixels14Config, permuted=True),
        _by_pixel(7, AveragedPixels7Config, permuted=False),
        _by_pixel(7, PermutedAveragedPixels7Config, permuted=True),
        SequenceSpec(
            "random_length",
            "one row a time step; how many of them are valid differs from image to image",
            RandomLengthConfig,
            _ROWS,
            lambda _config, _draw: PIXELS,
            lengths=lambda config: (config.min_rows, config.length_seed),
        ),
    ),
)
