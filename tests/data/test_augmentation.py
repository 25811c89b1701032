"""How images are changed in training."""

import pytest
import torch

from rnn_mnist.configuration.schema import AugmentationConfig
from rnn_mnist.data.augmentation import augment, displacement, draw_moves

IMAGES = torch.randint(0, 256, (6, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def stream() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def augmented(images: torch.Tensor, config: AugmentationConfig) -> torch.Tensor:
    return augment(images, draw_moves(len(images), config, stream()))


def test_augmentation_by_nothing_changes_nothing() -> None:
    assert torch.allclose(augmented(IMAGES, AugmentationConfig()), IMAGES.float(), atol=1e-2)


@pytest.mark.parametrize("key", ["max_shift", "max_rotation", "max_scale"])
def test_each_augmentation_moves_a_dot_as_far_as_it_may(key: str) -> None:
    largest = {"max_shift": 4.0, "max_rotation": 30.0, "max_scale": 0.3}[key]
    images = torch.zeros(500, 28, 28, dtype=torch.uint8)
    images[:, 4:6, 13:15] = 255  # nine pixels above the centre
    moved = augmented(images, AugmentationConfig(**{key: largest}))
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
    first = augmented(IMAGES, config)
    torch.manual_seed(99)
    assert torch.equal(first, augmented(IMAGES, config))


def test_what_is_off_draws_nothing_and_changes_no_other_draw() -> None:
    before = draw_moves(6, AugmentationConfig(max_shift=3), stream())
    more = draw_moves(6, AugmentationConfig(max_shift=3, elastic=1, row_dropout=0.5), stream())
    assert before.affine is not None
    assert more.affine is not None
    assert torch.equal(before.affine, more.affine)
    assert before.noise is before.kept is None
    assert draw_moves(6, AugmentationConfig(row_dropout=0.5), stream()).affine is None


def test_dropped_rows_are_black_and_the_others_as_they_were() -> None:
    images = torch.full((400, 28, 28), 200, dtype=torch.uint8)
    changed = augmented(images, AugmentationConfig(row_dropout=0.25))
    black = (changed == 0).all(2)
    assert torch.equal(changed[~black], images.float()[~black])
    assert 0.23 < black.float().mean() < 0.27


def test_an_elastic_displacement_is_smooth_and_as_large_as_it_says() -> None:
    noise = torch.randn(300, 2, 28, 28, generator=stream())
    moved = displacement(noise, 1.5)
    centre = moved[:, :, 12:16, 12:16]
    assert 1.35 < centre.std() < 1.65
    assert moved.mean().abs() < 0.15
    neighbours = (moved[:, :, :, 1:] - moved[:, :, :, :-1]).std()
    assert neighbours < 0.3 * centre.std()
    images = torch.zeros(50, 28, 28)
    images[:, 10:18, 10:18] = 255
    config = AugmentationConfig(elastic=1.5)
    assert not torch.equal(augmented(images, config), images)
    assert torch.equal(augmented(images, config), augmented(images, config))
