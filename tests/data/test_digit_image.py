"""A picture of a digit, as it is brought, becomes an image as MNIST has them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rnn_mnist.data.digit_image import DigitImageError, center_digit, read_digit
from rnn_mnist.data.files import load_test_images

Picture = Callable[[np.ndarray], Image.Image]


def enlarged(digit: np.ndarray, height: int = 300, width: int = 420) -> np.ndarray:
    """A digit ``[28, 28]`` as a picture ten times as fine, in a corner of a black sheet."""
    sheet = np.zeros((height, width), np.uint8)
    sheet[10:290, 130:410] = np.asarray(Image.fromarray(digit).resize((280, 280), Image.Resampling.BICUBIC))
    return sheet


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Their correlation, up to a move by one pixel: where a centre of mass is rounded to, the least noise decides."""
    moved = [np.roll(one, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return max(float(np.corrcoef(each.ravel(), other.ravel())[0, 1]) for each in moved)


def with_transparent_paper(sheet: np.ndarray) -> Image.Image:
    ink = np.zeros((*sheet.shape, 4), np.uint8)
    ink[..., 3] = sheet
    return Image.fromarray(ink, "RGBA")


def noisy(sheet: np.ndarray) -> Image.Image:
    grain = np.random.default_rng(0).normal(0, 6, sheet.shape)
    return Image.fromarray(np.clip(220 - 0.7 * sheet + grain, 0, 255).astype(np.uint8))


BROUGHT: dict[str, Picture] = {
    "light on dark": Image.fromarray,
    "dark on light": lambda sheet: Image.fromarray(255 - sheet),
    "pale ink on grey": lambda sheet: Image.fromarray((180 - 0.3 * sheet).astype(np.uint8)),
    "a grainy photograph": noisy,
    "in colour": lambda sheet: Image.merge("RGB", [Image.fromarray(255 - sheet // part) for part in (1, 2, 3)]),
    "transparent": with_transparent_paper,
    "black and white": lambda sheet: Image.fromarray(255 - sheet).convert("1"),
    "16 bits": lambda sheet: Image.fromarray(65535 - sheet.astype(np.uint16) * 257),
    "a palette": lambda sheet: Image.fromarray(255 - sheet).convert("P"),
}


@pytest.mark.parametrize("how", BROUGHT)
def test_however_it_is_brought_it_is_mnist_s_own_digit_again(how: str, tmp_path: Path) -> None:
    path = tmp_path / "digit.png"
    for digit in load_test_images()[0][:10]:
        BROUGHT[how](enlarged(digit)).save(path)
        image = read_digit(path)
        assert image.dtype == np.uint8
        assert image.shape == (28, 28)
        assert image[0].max() == 0, "black around it"
        assert likeness(image, digit) > 0.85


def test_mnist_s_own_images_stay_where_they_are() -> None:
    """Their box and their centre of mass are what the method makes of any picture."""
    for digit in load_test_images()[0][:200]:
        image = center_digit(digit)
        assert max(np.ptp(np.flatnonzero(image.any(axis))) + 1 for axis in (0, 1)) in (19, 20)
        assert likeness(image, digit) > 0.85


def test_the_camera_s_turn_is_undone(tmp_path: Path) -> None:
    digit = load_test_images()[0][0]
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright, stored lying: turn by 90 degrees to the right
    Image.fromarray(np.rot90(255 - enlarged(digit))).save(tmp_path / "turned.png", exif=exif)
    assert likeness(read_digit(tmp_path / "turned.png"), digit) > 0.85


def test_a_single_stroke_fits() -> None:
    for shape in ((200, 3), (3, 200), (1, 1)):
        sheet = np.zeros((240, 240))
        sheet[20 : 20 + shape[0], 20 : 20 + shape[1]] = 255
        assert center_digit(sheet).max() == 255


def test_what_is_no_digit_is_one_line(tmp_path: Path) -> None:
    Image.new("L", (50, 50), 200).save(tmp_path / "blank.png")
    (tmp_path / "text.png").write_text("no picture")
    for name, reason in (("blank", "all of it is alike"), ("text", "not a picture")):
        with pytest.raises(DigitImageError, match=reason) as caught:
            read_digit(tmp_path / f"{name}.png")
        assert str(tmp_path / f"{name}.png") in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError):
        read_digit(tmp_path / "none.png")
