"""Entry point: what is inside a configured model, shape by shape.

python -m rnn_mnist.explain model=gru model.bidirectional=true
python -m rnn_mnist.explain --format markdown > model.md
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console

from rnn_mnist import shell
from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.explain.tensors import Explanation, explain
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
    console.print(explanation.module, style="bold", markup=False)
    for title, table in tables(explanation).items():
        console.print()
        console.print(table.terminal(console.width, title))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with 0, 1, 2 or 130."""
    sys.exit(shell.run(lambda: _explain(arguments)))


def _explain(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_intermixed_args(arguments)
    checked = compose_checked(options.overrides, options.config_dir)
    explanation = explain(checked.config)
    if options.format == "markdown":
        print(as_markdown(explanation), end="")
    else:
        print_tables(explanation, shell.Output())
    for warning in checked.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rnn_mnist.explain",
        description="Explain a configured model: every tensor's shape, every weight, what each parameter does. Shapes "
        "are PyTorch's own, from its meta device, which works them out without numbers: nothing is trained or read.",
        epilog="Overrides are those of python -m rnn_mnist.train, such as model=gru model.bidirectional=true.",
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="what differs from the default configuration")
    parser.add_argument(
        "--config-dir", "-cd", type=Path, metavar="DIR", help="a folder with studies of your own, DIR/experiment/*.yaml"
    )
    parser.add_argument("--format", choices=("text", "markdown"), default="text", help="tables (default) or Markdown")
    return parser


def _shape(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _table(columns: dict[str, Content], rows: Iterable[tuple[object, ...]]) -> Table:
    cells = tuple(tuple(map(text_cell, row)) for row in rows)
    return Table(tuple(Column(heading, content) for heading, content in columns.items()), cells)


if __name__ == "__main__":
    main()
