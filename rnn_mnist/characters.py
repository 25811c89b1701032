"""Output in an encoding that lacks a character: the nearest ASCII in its place, never an error."""

import codecs
import io
from typing import TextIO

_HANDLER = "rnn_mnist.nearest_ascii"

_NEAREST = str.maketrans(
    {
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{MINUS SIGN}": "-",
        "\N{HYPHEN}": "-",
        "\N{NON-BREAKING HYPHEN}": "-",
        "\N{PLUS-MINUS SIGN}": "+/-",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{MIDDLE DOT}": ".",
        "\N{BULLET}": "*",
        "\N{HORIZONTAL ELLIPSIS}": "...",
        "\N{LESS-THAN OR EQUAL TO}": "<=",
        "\N{GREATER-THAN OR EQUAL TO}": ">=",
        "\N{NOT EQUAL TO}": "!=",
        "\N{ALMOST EQUAL TO}": "~",
        "\N{RIGHTWARDS ARROW}": "->",
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{NO-BREAK SPACE}": " ",
        "\N{NARROW NO-BREAK SPACE}": " ",
        "\N{GREEK SMALL LETTER ALPHA}": "alpha",
        "\N{GREEK SMALL LETTER SIGMA}": "sigma",
    }
)


def accept_every_character(*streams: TextIO) -> None:
    """Let text files write what their encoding lacks as the nearest ASCII; other streams stay as they are."""
    codecs.register_error(_HANDLER, _replace)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def nearest_ascii(text: str) -> str:
    """``±0.1 – 2 é`` as ``+/-0.1 - 2 e``; a question mark for a character that resembles nothing in ASCII."""
    import unicodedata  # 1 MB, needed by few

    plain = "".join(map(_box_line, text.translate(_NEAREST)))
    decomposed = unicodedata.normalize("NFKD", plain)
    without_accents = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return without_accents.encode("ascii", "replace").decode("ascii")


def _box_line(sign: str) -> str:
    if not "\u2500" <= sign <= "\u257f":  # Unicode's block of box drawing
        return sign
    return "-" if sign in "─━┄┅┈┉╌╍═╴╶╸╺╼╾" else "|" if sign in "│┃┆┇┊┋╎╏║╵╷╹╻╽╿" else "+"


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return nearest_ascii(error.object[error.start : error.end]), error.end
