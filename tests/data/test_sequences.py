"""How an image becomes a sequence, and how it is changed in training."""

import pytest
import torch

from rnn_mnist.catalogues.sequences import (
    SEQUENCES,
    ColumnsConfig,
    PermutedPixelsConfig,
    PixelsConfig,
    RandomLengthConfig,
    RowsConfig,
    SequenceConfig,
)
from rnn_mnist.data.sequences import SequenceReader, pixel_permutation, random_lengths

IMAGES = torch.randint(0, 256, (6, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
CPU = torch.device("cpu")


def read(config: SequenceConfig) -> tuple[torch.Tensor, torch.Tensor | None]:
    reader = SequenceReader.create(config, len(IMAGES), "train", CPU)
    return reader.read(IMAGES, torch.arange(len(IMAGES)))


def test_rows_and_columns_are_the_steps() -> None:
    rows, lengths = read(RowsConfig())
    columns, _ = read(ColumnsConfig())
    assert lengths is None
    assert torch.equal(rows[2, 5], IMAGES[2, 5] / 255)
    assert torch.equal(columns[2, 5], IMAGES[2, :, 5] / 255)


def test_pixels_are_read_as_text_is() -> None:
    pixels, _ = read(PixelsConfig())
    assert pixels.shape == (6, 784, 1)
    assert pixels[3, 28 + 4, 0] == IMAGES[3, 1, 4] / 255


def test_permuted_pixels_are_the_same_pixels_in_one_order_for_all() -> None:
    permuted, _ = read(PermutedPixelsConfig(permutation_seed=3))
    order = pixel_permutation(3)
    assert torch.equal(permuted[:, :, 0], IMAGES.reshape(6, -1)[:, order] / 255)
    assert sorted(order.tolist()) == list(range(784))
    assert not torch.equal(order, pixel_permutation(4))


@pytest.mark.parametrize("side", [14, 7])
def test_averaged_pixels_are_the_means_of_squares(side: int) -> None:
    spec, permuted = SEQUENCES[f"pixels_{side}x{side}"], SEQUENCES[f"permuted_pixels_{side}x{side}"]
    pixels, _ = read(spec.config())
    square = 28 // side
    assert pixels.shape == (6, side * side, 1)
    corner = IMAGES[4, square : 2 * square, :square].float().mean() / 255
    assert torch.isclose(pixels[4, side, 0], corner)
    shuffled, _ = read(permuted.config())
    order = pixel_permutation(0, side * side)
    assert torch.equal(shuffled[:, :, 0], pixels[:, order, 0])
    assert sorted(order.tolist()) == list(range(side * side))


@pytest.mark.parametrize("kind", list(SEQUENCES))
def test_the_declared_shape_is_the_real_one(kind: str) -> None:
    spec = SEQUENCES[kind]
    assert read(spec.config())[0].shape[1:] == spec.shape


def test_random_lengths_are_drawn_once_an_image_between_the_bounds() -> None:
    lengths = random_lengths(10_000, 14, 0, "train")
    assert set(lengths.tolist()) == set(range(14, 29))
    assert torch.equal(lengths, random_lengths(10_000, 14, 0, "train"))
    assert not torch.equal(lengths, random_lengths(10_000, 14, 0, "test"))
    assert not torch.equal(lengths, random_lengths(10_000, 14, 1, "train"))
    reader = SequenceReader.create(RandomLengthConfig(), 10_000, "train", CPU)
    chosen = torch.tensor([7, 3, 7])
    _, read_lengths = reader.read(IMAGES[:3], chosen)
    assert read_lengths is not None
    assert torch.equal(read_lengths, lengths[chosen])
