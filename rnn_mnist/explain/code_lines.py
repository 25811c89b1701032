"""Python for a page of limited width: broken where Python may be broken."""

import re
from collections.abc import Iterable

from rnn_mnist.explain.states import Statement

_INDENT = "    "


def code_lines(statements: Iterable[Statement], width: int) -> list[str]:
    """The statements in lines of at most ``width`` characters that can be run as they stand.

    A comment stands behind its statement, or before it where there is no room. A word that is longer than a line stays.
    """
    lines = []
    for statement in statements:
        beside = f"{statement.code}  # {statement.comment}"
        if statement.comment and len(beside) <= width:
            lines.append(beside)
            continue
        if statement.comment:
            lines += _folded(statement.comment, width)
        lines += broken(statement.code, width)
    return lines


def broken(code: str, width: int) -> list[str]:
    """One statement in as many lines as it takes: they end inside its brackets alone, where Python reads on."""
    if len(code) <= width:
        return [code]
    lines, depth = [""], 0
    for piece in re.split(r"(?<=[(\[])|(?<=, )", code):
        if depth and len(lines[-1] + piece.rstrip()) > width and lines[-1].strip():
            lines.append(_INDENT)
        lines[-1] += piece
        depth += len(re.findall(r"[(\[]", piece)) - len(re.findall(r"[)\]]", piece))
    return [line.rstrip() for line in lines]


def _folded(comment: str, width: int) -> list[str]:
    lines = ["#"]
    for word in comment.split():
        if len(lines[-1]) + 1 + len(word) > width and lines[-1] != "#":
            lines.append("#")
        lines[-1] += f" {word}"
    return lines
