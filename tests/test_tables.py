"""One table in four renderings: nothing is lost, cut or taken for markup in any of them."""

import io
import re
from html.parser import HTMLParser

import pytest
from rich.console import Console

from rnn_mnist.tables import Cell, Column, Content, Table, text_cell

TABLE = Table(
    (
        Column("level", Content.code),
        Column("against"),
        Column("runs", Content.number),
        Column("95 % interval", Content.number, "of this <one> comparison"),
        Column("p (Holm)", Content.number),
        Column("verdict", Content.sentence),
    ),
    (
        (
            text_cell("num_layers=2"),
            text_cell("1"),
            Cell("4, 5 (1 failed)", 4),
            Cell("-0.28 to +12.77", -0.28),
            Cell("<0.001", 0.0001),
            text_cell("not resolved: less than 0.58 points would go unseen with 4 seeds"),
        ),
        (text_cell("a[b]=x|y_*"), text_cell("[red]"), Cell("5", 5), Cell("–", ""), Cell("–", ""), text_cell("higher")),
    ),
)


def shown(table: Table, width: int) -> list[str]:
    """The lines of a terminal of that width."""
    written = io.StringIO()
    Console(file=written, width=width).print(table.terminal(width, "a title"))
    return [line.rstrip() for line in written.getvalue().splitlines()]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 180])
def test_a_terminal_of_any_width_shows_every_number_whole_and_every_word(width: int) -> None:
    lines = shown(TABLE, width)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    for row in TABLE.rows:
        for cell, column in zip(row, TABLE.columns, strict=True):
            if column.content is Content.sentence:
                assert all(word in text for word in cell.text.split())
            else:
                assert cell.text in text
    assert all(word in text for column in TABLE.columns for word in column.heading.split())


def test_what_has_no_room_follows_below_behind_the_same_names() -> None:
    assert len([line for line in shown(TABLE, 60) if line.startswith("num_layers=2")]) > 1
    assert len([line for line in shown(TABLE, 120) if line.startswith("num_layers=2")]) == 1


@pytest.mark.parametrize("factors", [1, 5, 12, 40])
def test_however_many_names_there_are_none_is_cut(factors: int) -> None:
    names = [f"factor_{i}=level_{i}" for i in range(factors)]
    table = Table(tuple(Column(f"{i}") for i in range(factors)), (tuple(map(text_cell, names)),))
    lines = shown(table, 80)
    assert max(map(len, lines)) <= 80
    assert all(name in "\n".join(lines) for name in names)


def test_markdown() -> None:
    heading, rule, first, second = TABLE.markdown().splitlines()
    assert heading == "| level | against | runs | 95 % interval | p (Holm) | verdict |"
    assert rule == "| --- | --- | ---: | ---: | ---: | --- |"
    assert first.startswith("| `num_layers=2` | 1 | 4, 5 (1 failed) | -0.28 to +12.77 | <0.001 | not resolved")
    assert second.startswith(r"| `a[b]=x\|y_*` | [red] |")
    table = Table((Column("a"),), ((text_cell("x_1 * y"),),))
    assert table.markdown().splitlines()[2] == r"| x\_1 \* y |"


def test_latex() -> None:
    lines = TABLE.latex().splitlines()
    assert r"95 \% interval" in lines[2]
    assert r"\texttt{num\_layers=2} & 1 & 4, 5 (1 failed) & $-$0.28 to +12.77 & $<$0.001 &" in lines[4]
    table = Table((Column("a"),), ((text_cell("50 % of [red] x_1 | \\ 1e-05"),),))
    assert table.latex().splitlines()[4] == r"50 \% of [red] x\_1 | \textbackslash{} 1e-05 \\"


class _Texts(HTMLParser):
    """What a reader of a page sees."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_html() -> None:
    parser = _Texts()
    parser.feed(TABLE.html())
    expected = [column.heading for column in TABLE.columns] + [cell.text for row in TABLE.rows for cell in row]
    assert [text for text in parser.texts if text.strip()] == expected
    assert re.findall('data-sort="([^"]*)"', TABLE.html())[2:5] == ["4", "-0.28", "0.0001"]
    assert "of this &lt;one&gt; comparison" in TABLE.html()


def test_columns_can_be_left_out() -> None:
    table = TABLE.without("against", "verdict")
    assert [column.heading for column in table.columns] == ["level", "runs", "95 % interval", "p (Holm)"]
    assert all(len(row) == 4 for row in table.rows)
