"""Figures inside the page, as data URIs, so small together that the page can be sent by mail."""

import base64
import io
from collections.abc import Sequence

from PIL import Image

from rnn_mnist.analysis.plots.figures import DrawnFigure

# In bytes, before base64 adds a third. A drawing that is larger (many runs, many images) becomes a picture, and so do
# the largest of those that are too much together.
LARGEST_DRAWING, ALL_DRAWINGS = 90_000, 600_000
_COLOURS = 128  # more than a figure's hues with their edges smoothed; a third of the bytes of all colours


def embedded(figures: Sequence[DrawnFigure]) -> list[str]:
    """A data URI for each figure: SVG, or PNG where that is too large."""
    drawings = [figure.rendered("svg") for figure in figures]
    as_pictures = too_large([len(drawing) for drawing in drawings])
    return [
        _data_uri("png", _with_palette(figure.rendered("png")))
        if place in as_pictures
        else _data_uri("svg+xml", drawing)
        for place, (figure, drawing) in enumerate(zip(figures, drawings, strict=True))
    ]


def too_large(sizes: Sequence[int]) -> set[int]:
    """The places of the sizes that are too large alone, and then of the largest until the others fit together."""
    places = sorted(range(len(sizes)), key=lambda place: sizes[place])
    kept, total = set(), 0
    for place in places:
        total += sizes[place]
        if sizes[place] <= LARGEST_DRAWING and total <= ALL_DRAWINGS:
            kept.add(place)
    return set(places) - kept


def _with_palette(picture: bytes) -> bytes:
    written = io.BytesIO()
    few = Image.open(io.BytesIO(picture)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    few.save(written, "PNG", optimize=True)
    return written.getvalue()


def _data_uri(kind: str, content: bytes) -> str:
    # A picture and not inline SVG: matplotlib's ids are unique within a figure only.
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
