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
from rnn_mnist.configuration.schema import AugmentationConfig
from rnn_mnist.data.sequences import SequenceReader, augment, pixel_permutation, random_lengths

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


def stream() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_augmentation_by_nothing_changes_nothing() -> None:
    assert torch.allclose(augment(IMAGES, AugmentationConfig(), stream()), IMAGES.float(), atol=1e-2)


@pytest.mark.parametrize("key", ["max_shift", "max_rotation", "max_scale"])
def test_each_augmentation_moves_a_dot_as_far_as_it_may(key: str) -> None:
    largest = {"max_shift": 4.0, "max_rotation": 30.0, "max_scale": 0.3}[key]
    images = torch.zeros(500, 28, 28, dtype=torch.uint8)
    images[:, 4:6, 13:15] = 255  # nine pixels above the centre
    moved = augment(images, AugmentationConfig(**{key: largest}), stream())
    rows, columns = torch.meshgrid(torch.arange(28.0) - 13.5, torch.arange(28.0) - 13.5, indexing="ij")
    mass = moved.sum((1, 2))
    y, x = (moved * rows).sum((1, 2)) / mass, (moved * columns).sum((1, 2)) / mass
    distance, angle = torch.hypot(x, y), torch.rad2deg(torch.atan2(x, -y))
    if key == "max_shift":
        assert 3.8 < (y + 9).abs().max() < 4.1
        assert 3.8 < x.abs().max() < 4.1
    if key == "max_rotation":
        assert 28 < angle.abs().max() < 31
        assert torch.allclose(distance, torch.tensor(9.0), atol=0.3)
    if key == "max_scale":
        assert 11.5 < distance.max() < 11.9
        assert 6.1 < distance.min() < 6.6
        assert angle.abs().max() < 1


def test_augmentation_comes_from_its_stream_alone() -> None:
    config = AugmentationConfig(max_shift=3, max_rotation=10, max_scale=0.1)
    first = augment(IMAGES, config, stream())
    torch.manual_seed(99)
    assert torch.equal(first, augment(IMAGES, config, stream()))
