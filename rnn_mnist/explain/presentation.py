"""An explanation in sections, in a terminal and as Markdown; :mod:`rnn_mnist.explain.page` has them as HTML."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from rich.console import Console, RenderableType
from rich.text import Text

from rnn_mnist import typesetting
from rnn_mnist.explain.code_lines import broken, code_lines
from rnn_mnist.explain.equations import Equation
from rnn_mnist.explain.tensors import Explanation
from rnn_mnist.tables import Column, Content, Table, text_cell

_PAGE_WIDTH = 90  # columns of what keeps its lines in Markdown and HTML


@dataclass(frozen=True)
class Section:
    """A part of the explanation: what there is of its attributes, in their order.

    Attributes:
        title: its heading.
        before: sentences.
        equations: each with its meaning.
        lines: what keeps its lines, of at most as many characters as it is given.
        table: columns and rows.
        after: sentences.
    """

    title: str
    before: tuple[str, ...] = ()
    equations: tuple[Equation, ...] = ()
    lines: Callable[[int], list[str]] | None = None
    table: Table | None = None
    after: tuple[str, ...] = ()

    def page_lines(self) -> list[str]:
        """``lines`` for a page, which is as wide as this likes."""
        return self.lines(_PAGE_WIDTH) if self.lines else []


def sections(explanation: Explanation) -> list[Section]:
    """All parts, in the order in which they are read."""
    code, name, number, sentence = Content.code, Content.name, Content.number, Content.sentence
    weights = [(row.name, row.symbols, _shape(row.shape), f"{row.count:,}", row.meaning) for row in explanation.weights]
    parts = [
        Section(
            "Letters",
            table=_table(
                {"letter": code, "value here": number, "meaning": sentence},
                ((letter, value, words) for letter, (words, value) in explanation.letters.items()),
            ),
        ),
        Section(
            "Tensors, from the image to the logits",
            table=_table(
                {"tensor": code, "shape": name, "here": name, "what it holds": sentence},
                ((row.name, row.symbols, _shape(row.shape), row.meaning) for row in explanation.tensors),
            ),
        ),
        Section("Layers against time steps", lines=explanation.diagram.lines, after=explanation.legend),
    ]
    equations = explanation.equations
    if equations is not None:
        parts.append(
            Section("One step in equations", explanation.conventions, equations.equations, equations.block_lines)
        )
    parts += [
        Section(
            "Weights",
            table=_table(
                {"weight": code, "shape": name, "here": name, "parameters": number, "what it does": sentence},
                [*weights, ("total", "", "", f"{explanation.total:,}", "as PyTorch counts them")],
            ),
        ),
        Section(
            "The order of the states",
            explanation.state_order,
            table=_table(
                {"state": code, "layer": number, "direction": name, "what it is": sentence},
                ((row.name, row.layer, row.direction, row.meaning) for row in explanation.states),
            ),
        ),
    ]
    if explanation.own_state:
        parts.append(
            Section(
                "A start of one's own",
                explanation.own_state_notes,
                lines=lambda width: code_lines(explanation.own_state, width),
            )
        )
    if explanation.sizes:
        parts.append(
            Section(
                "hidden_size against the number of time steps",
                ("For one image; the second number is with hidden_size doubled, the third with the steps doubled.",),
                table=_table(
                    {"what": name, "here": number, "hidden_size x 2": number, "steps x 2": number, "why": sentence},
                    (
                        (row.name, f"{row.here:,}", f"{row.wider:,}", f"{row.longer:,}", row.why)
                        for row in explanation.sizes
                    ),
                ),
            )
        )
    notes = ((note.key, note.value, note.does, note.does_not) for note in explanation.notes)
    columns = {"parameter": code, "value": name, "does": sentence, "does not": sentence}
    return [*parts, Section("What each parameter does, and does not do", table=_table(columns, notes))]


def as_markdown(explanation: Explanation) -> str:
    """The explanation as a Markdown text."""
    text = [f"The module: `{explanation.module}`\n"]
    for section in sections(explanation):
        text.append(f"## {typesetting.for_markdown(section.title)}\n")
        text += [f"{typesetting.for_markdown(words)}\n" for words in section.before]
        if section.equations:
            text.append(_fenced(_set_out(section.equations)))
        if section.lines:
            text.append(_fenced(section.page_lines()))
        if section.table:
            text.append(section.table.markdown())
        text += [f"{typesetting.for_markdown(words)}\n" for words in section.after]
    return "\n".join(text)


def print_sections(explanation: Explanation, console: Console) -> None:
    """Print the explanation in lines that fit the terminal."""
    console.print(Text("\n".join(broken(explanation.module, console.width)), style="bold"))
    for section in sections(explanation):
        console.print()
        console.print(Text(section.title, style="bold"))
        for part, block in enumerate(_blocks(section, console.width)):
            if part:
                console.print()
            # What keeps its lines is as narrow as it gets, and a break within it would be worse than a line too long.
            console.print(block, soft_wrap=isinstance(block, Text) and block.no_wrap)


def _blocks(section: Section, width: int) -> Iterator[RenderableType]:
    if section.before:
        yield Text("\n".join(section.before))
    if section.equations:
        columns = {"equation": Content.code, "what it computes": Content.sentence}
        yield _table(columns, ((equation.text, equation.meaning) for equation in section.equations)).terminal(width)
    if section.lines:
        yield Text("\n".join(section.lines(width)), no_wrap=True)
    if section.table:
        yield section.table.terminal(width)
    if section.after:
        yield Text("\n".join(section.after))


def _set_out(equations: Iterable[Equation]) -> list[str]:
    equations = list(equations)
    widest = max(len(equation.text) for equation in equations)
    return [f"{equation.text:<{widest}}   {equation.meaning}" for equation in equations]


def _fenced(lines: Iterable[str]) -> str:
    return "\n".join(["```text", *lines, "```", ""])


def _shape(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _table(columns: dict[str, Content], rows: Iterable[tuple[object, ...]]) -> Table:
    cells = tuple(tuple(map(text_cell, row)) for row in rows)
    return Table(tuple(Column(heading, content) for heading, content in columns.items()), cells)
