"""A picture of a digit made into one as MNIST's are. Imports no torch.

"The original black and white (bilevel) images from NIST were size normalized to fit in a 20x20 pixel box while
preserving their aspect ratio. The resulting images contain grey levels as a result of the anti-aliasing technique used
by the normalization algorithm. The images were centered in a 28x28 image by computing the center of mass of the pixels,
and translating the image so as to position this point at the center of the 28x28 field." (LeCun, Cortes and Burges,
*The MNIST database of handwritten digits*; LeCun et al. 1998, doi:10.1109/5.726791, section III.A.)

Measured on the 10,000 test images: the longer side is 20 pixels in 9,997 of them, and the centre of mass lies at
14.0 +- 0.3 pixels, counted from 0, both ways: whole pixels were moved.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from rnn_mnist.catalogues.sequences import IMAGE_SIZE
from rnn_mnist.errors import ExpectedError

BOX = 20
_CENTRE = 14

# Of the difference between paper and darkest ink: what is less is paper, its grain and its shadows.
_PAPER = 0.2
# Of 255: with less between the darkest and the brightest there is nothing written.
_LEAST_CONTRAST = 25


class DigitImageError(ExpectedError):
    """A picture without a digit that could be read; the message names the file."""


def read_digit(path: Path | str) -> np.ndarray:
    """The digit in a picture as MNIST has its digits: uint8 ``[28, 28]``, white on black, 20 pixels long, centred.

    The picture may be of any size, in grey or colour, dark on light or light on dark: what its edge shows is the
    paper. It must hold one digit, upright, and nothing else. What is transparent is white.

    Raises:
        DigitImageError: if the file is no picture, or all of it is alike.
        OSError: if it cannot be opened.
    """
    return center_digit(_read_grey(Path(path)), str(path))


def center_digit(grey: np.ndarray, name: str = "image") -> np.ndarray:
    """The same of grey values ``[row, column]`` of 0 to 255; ``name`` is what an error calls them."""
    values = np.asarray(grey, dtype=float)
    edge = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
    ink = np.abs(values - np.median(edge))
    if ink.max() < _LEAST_CONTRAST:
        raise DigitImageError(f"{name}: all of it is alike; a digit must differ from its background")
    # A stroke and a shadow may lie on either side of the paper: the digit's is that of what differs most.
    darker = values.flat[ink.argmax()] < np.median(edge)
    ink = np.clip((np.median(edge) - values) * (1 if darker else -1), 0, None) / ink.max()
    ink = np.clip((ink - _PAPER) / (1 - _PAPER), 0, 1)
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX / max(cut.shape)
    height, width = (max(1, round(length * scale)) for length in cut.shape)
    # A filter that takes in all pixels of an area, which is what makes the grey levels.
    small = np.asarray(Image.fromarray((255 * cut).astype(np.uint8)).resize((width, height), Image.Resampling.BOX))
    centred = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    top, left = _offset(small.sum(1)), _offset(small.sum(0))
    centred[top : top + height, left : left + width] = small
    return centred


def _offset(mass: np.ndarray) -> int:
    """Where a box begins whose centre of mass is to lie in the middle; all of it stays inside."""
    total = float(mass.sum())
    centre = float((mass * np.arange(len(mass))).sum()) / total if total else len(mass) / 2
    return int(np.clip(round(_CENTRE - centre), 0, IMAGE_SIZE - len(mass)))


def _read_grey(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened)
            if picture.mode.startswith("I"):  # 16 bits a pixel, which convert() would cut at 255
                return np.asarray(picture, dtype=float) / 257
            if "A" in picture.mode or "transparency" in picture.info:
                picture = picture.convert("RGBA")
                paper = Image.new("RGBA", picture.size, "white")
                picture = Image.alpha_composite(paper, picture)
            return np.asarray(picture.convert("L"), dtype=float)
    except (UnidentifiedImageError, SyntaxError, ValueError, EOFError) as error:
        raise DigitImageError(f"{path}: not a picture that can be read: {' '.join(str(error).split())}") from error
