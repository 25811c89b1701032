"""A table, and how it is shown: in a terminal, as Markdown, as LaTeX, as HTML.

It lies beside ``errors``, below all rooms, because ``explain`` and ``analysis`` both make tables and neither may import
the other.
"""

import html
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len, chop_cells
from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from rnn_mnist import typesetting

# In columns; no row of a table is that long, so that one row of piped text is one line, for grep and cut.
_UNFOLDED = 10_000
_GAP = 2  # blanks between the columns of a terminal
_SLOT_GAP = 3  # between the cells of a stacked row, each of which has its heading before it
_INDENT = 2
_READABLE = 32  # a column of sentences that is narrower is no longer read with ease


class Content(Enum):
    """What the cells of a column hold, which decides how they are aligned and where they may be broken."""

    name = "name"
    code = "code"
    """As it is typed."""
    number = "number"
    """Aligned right, never broken; a minus and the dash of a range are set as such in a paper."""
    sentence = "sentence"
    """Broken between words."""


@dataclass(frozen=True)
class Cell:
    """What a reader sees, and what the column is sorted by (empty: last)."""

    text: str
    sort: float | str


@dataclass(frozen=True)
class Column:
    """A heading, what its cells hold, and an explanation for where there is room for one."""

    heading: str
    content: Content = Content.name
    hint: str = ""


@dataclass(frozen=True)
class Table:
    """Columns, and rows that are each as long as those."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def without(self, *headings: str) -> "Table":
        """The table without the columns of these headings."""
        return self._of([i for i, column in enumerate(self.columns) if column.heading not in headings])

    def led_by(self, heading: str) -> "Table":
        """The table with the column of this heading right behind its leading names, where a small screen shows it."""
        moved = [i for i, column in enumerate(self.columns) if column.heading == heading]
        rest = [i for i in range(len(self.columns)) if i not in moved]
        names = [self.columns[i].content in (Content.name, Content.code) for i in rest]
        leading = [*names, False].index(False)
        return self._of([*rest[:leading], *moved, *rest[leading:]])

    def terminal(self, width: int, title: str | None = None) -> Group:
        """For a terminal of so many characters a line.

        A table where every name and number has room, and sentences enough to be read; else each row is a block of
        lines: its leading names, its other cells behind their headings, its sentences. Nothing is cut in either.
        """
        parts: list[RenderableType] = [] if title is None else [Text(title, style="bold")]
        widths = self._widths(width)
        if widths is not None:
            return Group(*parts, self._side_by_side(widths))
        return Group(*parts, *self._stacked(width))

    def markdown(self) -> str:
        """A GitHub table, newline at the end."""
        lines = [[typesetting.for_markdown(column.heading) for column in self.columns]]
        lines.append(["---:" if column.content is Content.number else "---" for column in self.columns])
        lines += [
            [_for_markdown(cell.text, column) for cell, column in zip(row, self.columns, strict=True)]
            for row in self.rows
        ]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def latex(self) -> str:
        """A ``tabular`` with the rules of the ``booktabs`` package, newline at the end."""
        alignments = {Content.number: "r", Content.sentence: r"p{0.3\linewidth}"}
        alignment = "".join(alignments.get(column.content, "l") for column in self.columns)
        lines = [" & ".join(typesetting.for_latex(column.heading) for column in self.columns) + r" \\", r"\midrule"]
        for row in self.rows:
            cells = [_for_latex(cell.text, column) for cell, column in zip(row, self.columns, strict=True)]
            # A bracket at its start would be the argument of the line break before it.
            line = " & ".join(cells)
            lines.append((f"{{}}{line}" if line.startswith(("[", "*")) else line) + r" \\")
        return "\n".join(
            [rf"\begin{{tabular}}{{{alignment}}}", r"\toprule", *lines, r"\bottomrule", r"\end{tabular}", ""]
        )

    def html(self, caption: str = "") -> str:
        """A ``table`` whose headings are buttons and whose cells say, in ``data-sort``, what to sort them by.

        Each cell has its heading in ``data-label`` as well, and rows and cells have their roles, so that a style sheet
        may show rows as cards and a screen reader still finds a table.
        """
        lines = ['<table class="sortable" role="table">']
        if caption:
            lines.append(f"<caption>{html.escape(caption)}</caption>")
        lines.append('<thead role="rowgroup"><tr role="row">')
        for column in self.columns:
            hint = f' title="{html.escape(column.hint)}"' if column.hint else ""
            button = f'<button type="button">{html.escape(column.heading)}</button>'
            lines.append(f'<th scope="col" role="columnheader" class="{column.content.value}"{hint}>{button}</th>')
        lines += ["</tr></thead>", '<tbody role="rowgroup">']
        for row in self.rows:
            cells = ""
            for cell, column in zip(row, self.columns, strict=True):
                sort, label = html.escape(str(cell.sort)), html.escape(column.heading)
                long = " long" if column.content is Content.sentence and len(cell.text) > _READABLE else ""
                attributes = f'role="cell" class="{column.content.value}{long}" data-label="{label}" data-sort="{sort}"'
                cells += f"<td {attributes}>{html.escape(cell.text)}</td>"
            lines.append(f'<tr role="row">{cells}</tr>')
        return "\n".join([*lines, "</tbody>", "</table>"])

    def _of(self, places: Sequence[int]) -> "Table":
        return Table(tuple(self.columns[i] for i in places), tuple(tuple(row[i] for i in places) for row in self.rows))

    def _widths(self, width: int) -> list[int] | None:
        """How wide each column is, or None where they do not fit; sentences take what the others leave, evenly."""
        narrow, widest = [], []
        for place, column in enumerate(self.columns):
            cells = [_joined(row[place].text) for row in self.rows]
            widest.append(_widest([column.heading, *cells]))
            # A heading may be broken between its words, and so may a sentence.
            words = [*column.heading.split(), *(_words(cells) if column.content is Content.sentence else cells)]
            enough = _READABLE if column.content is Content.sentence else 0
            narrow.append(max(_widest(words), min(widest[-1], enough)))
        spare = width - sum(narrow) - _GAP * (len(narrow) - 1)
        if spare < 0:
            return None
        widths = list(narrow)
        order = sorted(range(len(widths)), key=lambda i: self.columns[i].content is Content.sentence)
        for place, i in enumerate(order):
            share = spare // (len(order) - place) if self.columns[i].content is Content.sentence else spare
            widths[i] += min(share, widest[i] - narrow[i])
            spare -= widths[i] - narrow[i]
        return widths

    def _side_by_side(self, widths: Sequence[int]) -> RichTable:
        several = sum(column.content is Content.sentence for column in self.columns) > 1
        table = RichTable(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), show_lines=several)
        for column, width in zip(self.columns, widths, strict=True):
            justify: JustifyMethod = "right" if column.content is Content.number else "left"
            table.add_column(Text(column.heading), justify=justify, width=width, overflow="fold")
        for row in self.rows:
            table.add_row(*(Text(_joined(cell.text)) for cell in row))
        return table

    def _stacked(self, width: int) -> Iterator[Text]:
        """The lines of all rows; a cell stands in the same place in each of them, so that the eye finds it again."""
        sentences = [i for i, column in enumerate(self.columns) if column.content is Content.sentence]
        named = [column.content in (Content.name, Content.code) for column in self.columns]
        leading = list(range([*named, False].index(False)))
        others = [i for i in range(len(self.columns)) if i not in leading and i not in sentences]
        heads, bodies = (self._slots(places, width - _INDENT) for places in (leading, others))
        for place, row in enumerate(self.rows):
            if place and len(sentences) > 1:
                yield Text()
            yield from self._in_slots(row, heads[:1], width, 0, "bold")
            yield from self._in_slots(row, heads[1:], width, _INDENT, "bold")
            yield from self._in_slots(row, bodies, width, _INDENT, "")
            for i in sentences:
                # One alone says for itself what it is.
                heading = f"{self.columns[i].heading}:" if len(sentences) > 1 else ""
                yield from _folded(heading, row[i].text, width, _INDENT, "")

    def _slots(self, places: Iterable[int], width: int) -> list[dict[int, int]]:
        """Which columns share a line of every stacked row, and the room for the text of each."""
        lines: list[dict[int, int]] = [{}]
        taken = 0
        for i in places:
            room = _widest(_joined(row[i].text) for row in self.rows)
            slot = self._heading_width(i) + room
            if lines[-1] and taken + _SLOT_GAP + slot > width:
                lines.append({})
            taken = slot + (taken + _SLOT_GAP if lines[-1] else 0)
            lines[-1][i] = room
        return lines

    def _in_slots(
        self, row: Sequence[Cell], lines: Iterable[dict[int, int]], width: int, indent: int, style: str
    ) -> Iterator[Text]:
        for slots in lines:
            line, blanks = Text(), indent
            for i, room in slots.items():
                heading, text = self._heading(i), _joined(row[i].text)
                if self._heading_width(i) + room > width - indent:  # alone in its line, for it does not even fit there
                    yield from _folded(heading, text, width, indent, style)
                    continue
                padding = room - cell_len(text)
                if not text:
                    blanks += self._heading_width(i) + room + _SLOT_GAP
                    continue
                before = padding if self.columns[i].content is Content.number else 0
                line.append(" " * blanks).append(heading, "dim").append(" " * (before + bool(heading)))
                line.append(text, style)
                blanks = padding - before + _SLOT_GAP
            if line:
                yield line

    def _heading(self, place: int) -> str:
        # What is typed says by itself what it is: num_layers=2.
        return "" if self.columns[place].content is Content.code else self.columns[place].heading

    def _heading_width(self, place: int) -> int:
        heading = self._heading(place)
        return cell_len(heading) + bool(heading)


def text_cell(value: object) -> Cell:
    """A cell sorted by its text, capitals as small letters."""
    return Cell(str(value), str(value).lower())


def _joined(text: str) -> str:
    """On one line."""
    return " ".join(text.split())


def _words(texts: Iterable[str]) -> Iterator[str]:
    return (word for text in texts for word in text.split())


def _widest(texts: Iterable[str]) -> int:
    return max(map(cell_len, texts), default=0)


def _folded(heading: str, text: str, width: int, indent: int, style: str) -> Iterator[Text]:
    """A cell over the whole width, in as many lines as it takes; only a word longer than a line is broken itself."""
    words = [(word, "dim") for word in heading.split()] + [(word, style) for word in text.split()]
    line, used = Text(), 0
    for word, look in words if text.split() else []:
        for piece in chop_cells(word, width - indent - _INDENT):
            if used and used + 1 + cell_len(piece) > width:
                yield line
                used = 0
            blanks = 1 if used else indent + _INDENT if line else indent  # a line that goes on stands further in
            line = line if used else Text()
            line.append(" " * blanks).append(piece, look)
            used += blanks + cell_len(piece)
    if used:
        yield line


def _typeset(text: str, column: Column) -> str:
    if column.content is Content.sentence:
        return typesetting.with_minus_in_words(text)
    text = typesetting.with_minus(text)
    return typesetting.with_dash(text) if column.content is Content.number else text


def _for_markdown(text: str, column: Column) -> str:
    text = _joined(text)
    if column.content is Content.code:
        return typesetting.markdown_code(text)
    return typesetting.for_markdown(_typeset(text, column))


def _for_latex(text: str, column: Column) -> str:
    text = _joined(text)
    if column.content is Content.code:
        return typesetting.latex_code(text)
    text = _typeset(text, column)
    return typesetting.for_latex(text) if column.content is Content.sentence else typesetting.latex_number(text)


class Output(Console):
    """Standard output for tables and marked-up text; what is piped is not folded to a width."""

    def __init__(self) -> None:
        """A terminal knows its own width."""
        super().__init__(width=None if sys.stdout.isatty() else _UNFOLDED)

    def on_broken_pipe(self) -> None:
        """Rich would end the process with 1; :func:`rnn_mnist.shell.run` decides."""
        raise BrokenPipeError
