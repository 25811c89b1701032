"""One table in four renderings: nothing is lost, cut or taken for markup in any of them."""

import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
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


def without_blanks(text: str) -> str:
    return "".join(text.split())


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


def test_a_row_is_a_line_where_it_fits_and_else_a_block_with_headings() -> None:
    (line,) = [line for line in shown(TABLE, 120) if "num_layers=2" in line]
    assert "-0.28 to +12.77" in line
    heading, *rest = shown(TABLE, 60)[1:6]
    assert heading.split() == ["num_layers=2", "against", "1"]
    pairs = ["runs 4, 5 (1 failed)", "95 % interval -0.28 to +12.77", "p (Holm) <0.001"]
    joined = " ".join(" ".join(rest).split())
    assert joined.startswith(" ".join(pairs))
    assert "not resolved: less than 0.58 points would go unseen" in joined


def test_the_numbers_of_stacked_rows_stand_below_each_other() -> None:
    table = replace(TABLE, rows=(TABLE.rows[0], (*TABLE.rows[0][:4], Cell("0.31", 0.31), TABLE.rows[0][5])))
    lines = [line for line in shown(table, 60) if "p (Holm)" in line]
    assert len(lines) == 2
    assert {line.index("p (Holm)") for line in lines} == {lines[0].index("p (Holm)")}
    assert [len(line) for line in lines] == [len(lines[0])] * 2  # aligned right


def test_several_sentences_of_a_stacked_row_are_told_apart() -> None:
    columns = (Column("key", Content.code), Column("does", Content.sentence), Column("does not", Content.sentence))
    texts = ("dropout", "It zeroes outputs of every layer but the last.", "It does not touch the last layer's output.")
    lines = shown(Table(columns, (tuple(map(text_cell, texts)),)), 60)
    assert lines[1:] == ["dropout", f"  does: {texts[1]}", f"  does not: {texts[2]}"]


_WORD = st.text("abcdefgh[]*_.=-0é字", min_size=1, max_size=30)
_TEXT = st.lists(_WORD, max_size=6).map(" ".join)
_NUMBER = st.floats(-1e6, 1e6).map("{:+,.2f}".format)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Any columns, and any texts in them."""
    contents = draw(st.lists(st.sampled_from(Content), min_size=1, max_size=8))
    columns = tuple(Column(draw(_WORD), content) for content in contents)
    texts = [_NUMBER if content is Content.number else _TEXT for content in contents]
    rows = draw(st.lists(st.tuples(*texts), max_size=4))
    return Table(columns, tuple(tuple(map(text_cell, row)) for row in rows))


@given(tables(), st.integers(40, 200))
@settings(deadline=None, max_examples=60)
def test_whatever_a_table_holds_fits_and_is_all_there(table: Table, width: int) -> None:
    lines = shown(table, width)
    assert max(map(cell_len, lines)) <= width
    # In a table side by side a sentence is folded beside the cells of other columns: word by word.
    found, text = without_blanks("".join(lines)), "\n".join(lines)
    for row in table.rows:
        for cell, column in zip(row, table.columns, strict=True):
            if column.content is Content.sentence:
                assert all(word in found for word in cell.text.split())
            elif column.content is Content.number:
                assert cell.text in text
            else:
                assert without_blanks(cell.text) in found


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
    assert first.startswith("| `num_layers=2` | 1 | 4, 5 (1 failed) | −0.28 to +12.77 | <0.001 | not resolved")
    assert second.startswith(r"| `a[b]=x\|y_*` | [red] |")
    table = Table((Column("a"),), ((text_cell("x_1 * y"),), (text_cell("<b>`p`</b> <0.1"),)))
    assert table.markdown().splitlines()[2:] == [r"| x\_1 \* y |", r"| \<b>\`p\`\</b> <0.1 |"]


def test_latex() -> None:
    lines = TABLE.latex().splitlines()
    assert r"95 \% interval" in lines[2]
    assert r"\texttt{num\_layers=2} & 1 & 4, 5 (1 failed) & $-$0.28 to +12.77 & $<$0.001 &" in lines[4]
    table = Table((Column("a"),), ((text_cell("50 % of [red] x_1 | \\ --by"),),))
    assert table.latex().splitlines()[4] == r"50 \% of [red] x\_1 | \textbackslash{} -{}-by \\"


def test_a_bracket_that_begins_a_row_is_no_argument_of_the_line_break_before_it() -> None:
    table = Table((Column("a"),), ((text_cell("one"),), (text_cell("[two]"),)))
    assert table.latex().splitlines()[4:6] == [r"one \\", r"{}[two] \\"]


@pytest.mark.parametrize(
    ("content", "text", "latex", "markdown"),
    [
        (Content.number, "-0.12", "$-$0.12", "−0.12"),
        (Content.number, "[-0.20, 0.40]", "[$-$0.20, 0.40]", "[−0.20, 0.40]"),
        (Content.number, "98.07 ± 0.12", r"98.07 $\pm$ 0.12", "98.07 ± 0.12"),
        (Content.number, "8-30", "8--30", "8–30"),
        (Content.number, "–", "--", "–"),
        (Content.number, "1e-05", "$10^{-5}$", "1e-05"),
        (Content.name, "3e-05", r"$3\times10^{-5}$", "3e-05"),
        (Content.name, "-1", "$-$1", "−1"),
        (Content.name, "last-step", "last-step", "last-step"),
        (Content.name, "2026-01-01", "2026-01-01", "2026-01-01"),
        (Content.code, "lr=-1e-05", r"\texttt{lr=-1e-05}", "`lr=-1e-05`"),
        (Content.sentence, "-0.2 of output[:, -1]", "$-$0.2 of output[:, -1]", "−0.2 of output[:, -1]"),
    ],
)
def test_numbers_are_set_as_numbers_and_what_is_typed_is_not(
    content: Content, text: str, latex: str, markdown: str
) -> None:
    table = Table((Column("a", content),), ((text_cell(text),),))
    assert table.latex().splitlines()[4].removeprefix("{}") == rf"{latex} \\"
    assert table.markdown().splitlines()[2] == f"| {markdown} |"


class _Texts(HTMLParser):
    """What a reader of a page sees."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_html() -> None:
    parser = _Texts()
    parser.feed(TABLE.html("A & B"))
    expected = [
        "A & B",
        *(column.heading for column in TABLE.columns),
        *(cell.text for row in TABLE.rows for cell in row),
    ]
    assert [text for text in parser.texts if text.strip()] == expected
    assert re.findall('data-sort="([^"]*)"', TABLE.html())[2:5] == ["4", "-0.28", "0.0001"]
    # Where rows are cards, each cell shows its heading.
    labels = re.findall('data-label="([^"]*)"', TABLE.html())
    assert labels == [column.heading for column in TABLE.columns] * len(TABLE.rows)
    assert "of this &lt;one&gt; comparison" in TABLE.html()


def test_a_column_can_stand_right_behind_the_names() -> None:
    headings = [column.heading for column in TABLE.led_by("verdict").columns]
    assert headings == ["level", "against", "verdict", "runs", "95 % interval", "p (Holm)"]
    assert [row[2].text for row in TABLE.led_by("verdict").rows] == [row[5].text for row in TABLE.rows]
    assert TABLE.led_by("no such column") == TABLE


def test_columns_can_be_left_out() -> None:
    table = TABLE.without("against", "verdict")
    assert [column.heading for column in table.columns] == ["level", "runs", "95 % interval", "p (Holm)"]
    assert all(len(row) == 4 for row in table.rows)
