"""Entry point: what is inside a configured model, shape by shape.

python -m rnn_mnist.explain model=gru model.bidirectional=true
python -m rnn_mnist.explain --format markdown > model.md
"""

import argparse
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from rnn_mnist import shell
from rnn_mnist.configuration.compose import compose_checked, explain_error
from rnn_mnist.explain.tensors import Explanation, explain

_SECTIONS = {
    "letters": ("Letters", ("letter", "value here", "meaning")),
    "tensors": ("Tensors, from the image to the logits", ("tensor", "shape", "here", "what it holds")),
    "weights": ("Weights", ("weight", "shape", "here", "parameters", "what it does")),
    "notes": ("What each parameter does, and does not do", ("parameter", "value", "does", "does not")),
}


def tables(explanation: Explanation) -> dict[str, list[tuple[str, ...]]]:
    """The cells of each section's table, as text."""
    return {
        "letters": [(letter, str(value), words) for letter, (words, value) in explanation.letters.items()],
        "tensors": [(row.name, row.symbols, _shape(row.shape), row.meaning) for row in explanation.tensors],
        "weights": [
            *((row.name, row.symbols, _shape(row.shape), f"{row.count:,}", row.meaning) for row in explanation.weights),
            ("total", "", "", f"{explanation.total:,}", "as PyTorch counts them"),
        ],
        "notes": [(note.key, note.value, note.does, note.does_not) for note in explanation.notes],
    }


def as_markdown(explanation: Explanation) -> str:
    """The explanation as a Markdown text."""
    parts = [f"The module: `{explanation.module}`", ""]
    for name, rows in tables(explanation).items():
        title, columns = _SECTIONS[name]
        parts += [f"## {title}", "", _line(columns), _line("---" for _ in columns)]
        parts += [_line(f"`{cell}`" if index == 0 else _escape(cell) for index, cell in enumerate(row)) for row in rows]
        parts.append("")
    return "\n".join(parts)


def print_tables(explanation: Explanation, console: Console) -> None:
    """Print the explanation as tables that fit the terminal."""
    console.print(explanation.module, style="bold", markup=False)
    for name, rows in tables(explanation).items():
        title, columns = _SECTIONS[name]
        table = Table(title=title, title_justify="left", show_lines=name == "notes")
        for column in columns:
            number = column in ("value here", "parameters")
            # Names and shapes stay on one line; sentences take the room that is left.
            sentence = column in ("meaning", "what it holds", "what it does", "does", "does not")
            table.add_column(column, justify="right" if number else "left", no_wrap=not sentence)
        for row in rows:
            table.add_row(*(cell.replace("[", r"\[") for cell in row), end_section=row[0] == "linear.bias")
        console.print()
        console.print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m rnn_mnist.explain",
        description="Explain a configured model: every tensor's shape, every weight, what each parameter does. Shapes "
        "are PyTorch's own, from its meta device, which works them out without numbers: nothing is trained or read.",
        epilog="Overrides are those of python -m rnn_mnist.train, such as model=gru model.bidirectional=true.",
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="what differs from the default configuration")
    parser.add_argument("--format", choices=("text", "markdown"), default="text", help="tables (default) or Markdown")
    options = parser.parse_intermixed_args(arguments)
    try:
        checked = compose_checked(options.overrides)
    except Exception as error:
        line = explain_error(error)
        if line is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        sys.exit(1)
    explanation = explain(checked.config)
    if options.format == "markdown":
        print(as_markdown(explanation), end="")
    else:
        print_tables(explanation, shell.Output())
    for warning in checked.warnings:
        print(f"warning: {warning}", file=sys.stderr)


def _shape(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escape(cell: str) -> str:
    return cell.replace("|", r"\|").replace("*", r"\*").replace("_", r"\_")


if __name__ == "__main__":
    sys.exit(shell.run(main))
