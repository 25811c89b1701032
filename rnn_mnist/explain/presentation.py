"""An explanation as tables, in a terminal and as Markdown."""

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from rnn_mnist.explain.tensors import Explanation
from rnn_mnist.tables import Column, Content, Table, text_cell


def tables(explanation: Explanation) -> dict[str, Table]:
    """The tables of an explanation, each under its title."""
    code, name, number, sentence = Content.code, Content.name, Content.number, Content.sentence
    weights = [(row.name, row.symbols, _shape(row.shape), f"{row.count:,}", row.meaning) for row in explanation.weights]
    return {
        "Letters": _table(
            {"letter": code, "value here": number, "meaning": sentence},
            ((letter, value, words) for letter, (words, value) in explanation.letters.items()),
        ),
        "Tensors, from the image to the logits": _table(
            {"tensor": code, "shape": name, "here": name, "what it holds": sentence},
            ((row.name, row.symbols, _shape(row.shape), row.meaning) for row in explanation.tensors),
        ),
        "Weights": _table(
            {"weight": code, "shape": name, "here": name, "parameters": number, "what it does": sentence},
            [*weights, ("total", "", "", f"{explanation.total:,}", "as PyTorch counts them")],
        ),
        "What each parameter does, and does not do": _table(
            {"parameter": code, "value": name, "does": sentence, "does not": sentence},
            ((note.key, note.value, note.does, note.does_not) for note in explanation.notes),
        ),
    }


def as_markdown(explanation: Explanation) -> str:
    """The explanation as a Markdown text."""
    sections = (f"## {title}\n\n{table.markdown()}" for title, table in tables(explanation).items())
    return "\n".join([f"The module: `{explanation.module}`\n", *sections])


def print_tables(explanation: Explanation, console: Console) -> None:
    """Print the explanation as tables that fit the terminal."""
    console.print(Text(explanation.module, style="bold"))
    for title, table in tables(explanation).items():
        console.print()
        console.print(table.terminal(console.width, title))


def _shape(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _table(columns: dict[str, Content], rows: Iterable[tuple[object, ...]]) -> Table:
    cells = tuple(tuple(map(text_cell, row)) for row in rows)
    return Table(tuple(Column(heading, content) for heading, content in columns.items()), cells)
