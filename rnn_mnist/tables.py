"""A table, and how it is shown: in a terminal, as Markdown, as LaTeX, as HTML.

It lies beside ``errors``, below all rooms, because ``explain`` and ``analysis`` both make tables and neither may import
the other.
"""

import html
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

# In columns; no row of a table is that long, so that one row of piped text is one line, for grep and cut.
_UNFOLDED = 10_000
_GAP = 2  # blanks between the columns of a terminal
_NARROW_NAME, _NARROW_SENTENCE = 16, 24
_LATEX = {"\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_", "$": r"\$", "{": r"\{", "}": r"\}"}
_LATEX |= {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--", "×": r"$\times$", "−": "$-$"}
_LATEX |= {"<": "$<$", ">": "$>$"}


class Content(Enum):
    """What the cells of a column hold, which decides how they are aligned and where they may be broken."""

    name = "name"
    code = "code"
    """As it is typed."""
    number = "number"
    """Aligned right, never broken."""
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
        kept = [i for i, column in enumerate(self.columns) if column.heading not in headings]
        return Table(tuple(self.columns[i] for i in kept), tuple(tuple(row[i] for i in kept) for row in self.rows))

    def terminal(self, width: int, title: str | None = None) -> Group:
        """For a terminal of so many characters a line.

        Words are broken where it is too narrow, numbers never: what has no room in one table follows in another below,
        behind the same leading columns.
        """
        parts: list[RenderableType] = [] if title is None else [Text(title, style="bold")]
        for widths in self._bands(width):
            parts += [self._band(widths), ""]
        return Group(*parts[:-1])

    def markdown(self) -> str:
        """A GitHub table, newline at the end."""
        lines = [[column.heading for column in self.columns]]
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
        lines = [" & ".join(_for_latex(column.heading) for column in self.columns) + r" \\", r"\midrule"]
        for row in self.rows:
            cells = [_for_latex(cell.text, column) for cell, column in zip(row, self.columns, strict=True)]
            lines.append(" & ".join(cells) + r" \\")
        return "\n".join(
            [rf"\begin{{tabular}}{{{alignment}}}", r"\toprule", *lines, r"\bottomrule", r"\end{tabular}", ""]
        )

    def html(self) -> str:
        """A ``table`` whose headings are buttons and whose cells say, in ``data-sort``, what to sort them by."""
        lines = ['<table class="sortable">', "<thead><tr>"]
        for column in self.columns:
            hint = f' title="{html.escape(column.hint)}"' if column.hint else ""
            button = f'<button type="button">{html.escape(column.heading)}</button>'
            lines.append(f'<th scope="col" class="{column.content.value}"{hint}>{button}</th>')
        lines += ["</tr></thead>", "<tbody>"]
        for row in self.rows:
            cells = ""
            for cell, column in zip(row, self.columns, strict=True):
                sort = html.escape(str(cell.sort))
                cells += f'<td class="{column.content.value}" data-sort="{sort}">{html.escape(cell.text)}</td>'
            lines.append(f"<tr>{cells}</tr>")
        return "\n".join([*lines, "</tbody>", "</table>"])

    def _bands(self, width: int) -> list[dict[int, int]]:
        """Which columns stand in each of the tables that fit, and how wide they are there."""
        texts = [[column.heading, *(row[i].text for row in self.rows)] for i, column in enumerate(self.columns)]
        widest = [max(map(cell_len, of_column)) for of_column in texts]
        narrow = [_narrowest(column, of_column) for column, of_column in zip(self.columns, texts, strict=True)]
        names = [column.content in (Content.name, Content.code) for column in self.columns]
        leading = [*names, False].index(False)
        while leading == len(names) or sum(narrow[:leading]) + _GAP * leading > width // 2:
            leading -= 1
        bands: list[list[int]] = [[]]
        for i in range(leading, len(names)):
            taken = [*range(leading), *bands[-1], i]
            if bands[-1] and sum(narrow[k] + _GAP for k in taken) - _GAP > width:
                bands.append([])
            bands[-1].append(i)
        return [self._widths([*range(leading), *band], narrow, widest, width) for band in bands]

    def _widths(self, band: Sequence[int], narrow: list[int], widest: list[int], width: int) -> dict[int, int]:
        """Sentences take what the others leave, evenly where there are several."""
        widths = {i: narrow[i] for i in band}
        spare = width - sum(widths.values()) - _GAP * (len(band) - 1)
        order = sorted(band, key=lambda i: self.columns[i].content is Content.sentence)
        for place, i in enumerate(order):
            share = spare // (len(order) - place) if self.columns[i].content is Content.sentence else spare
            widths[i] += max(0, min(share, widest[i] - narrow[i]))
            spare -= widths[i] - narrow[i]
        return widths

    def _band(self, widths: dict[int, int]) -> RichTable:
        columns = [self.columns[i] for i in widths]
        several = sum(column.content is Content.sentence for column in columns) > 1
        table = RichTable(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), show_lines=several)
        for column, width in zip(columns, widths.values(), strict=True):
            justify: JustifyMethod = "right" if column.content is Content.number else "left"
            table.add_column(Text(column.heading), justify=justify, width=width, overflow="fold")
        for row in self.rows:
            table.add_row(*(Text(row[i].text) for i in widths))
        return table


def text_cell(value: object) -> Cell:
    """A cell sorted by its text, capitals as small letters."""
    return Cell(str(value), str(value).lower())


def _narrowest(column: Column, texts: Sequence[str]) -> int:
    """How narrow a column may become: a number whole, a name's or a sentence's words in pieces at worst."""
    heading = max(map(cell_len, column.heading.split()), default=1)
    widest = max(map(cell_len, texts[1:]), default=1)
    limits = {Content.number: widest, Content.sentence: _NARROW_SENTENCE}
    return max(heading, min(widest, limits.get(column.content, _NARROW_NAME)))


def _for_markdown(text: str, column: Column) -> str:
    text = text.replace("|", r"\|")
    if column.content is Content.code:
        return f"`{text}`" if text else ""
    return re.sub(r"([*_])", r"\\\1", text)


def _for_latex(text: str, column: Column | None = None) -> str:
    escaped = "".join(_LATEX.get(character, character) for character in re.sub(r"(?<![\w.-])-(?=\d)", "−", text))
    return rf"\texttt{{{escaped}}}" if column and text and column.content is Content.code else escaped


class Output(Console):
    """Standard output for tables and marked-up text; what is piped is not folded to a width."""

    def __init__(self) -> None:
        """A terminal knows its own width."""
        super().__init__(width=None if sys.stdout.isatty() else _UNFOLDED)

    def on_broken_pipe(self) -> None:
        """Rich would end the process with 1; :func:`rnn_mnist.shell.run` decides."""
        raise BrokenPipeError
