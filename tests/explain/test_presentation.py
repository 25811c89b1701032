"""Terminal, Markdown and HTML: all have everything, no line is too long, no word is cut."""

import html
import io
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.explain.page import as_html
from rnn_mnist.explain.presentation import as_markdown, print_sections, sections
from rnn_mnist.explain.tensors import Explanation, explain
from tests.conftest import CommandLine
from tests.explain.test_tensors import VARIANTS, explained


def printed(explanation: Explanation, width: int) -> list[str]:
    written = io.StringIO()
    print_sections(explanation, Console(file=written, width=width))
    return written.getvalue().splitlines()


def words_of(explanation: Explanation) -> set[str]:
    """Every word of the explanation but those of the drawing, which depend on its width."""
    texts = [explanation.module]
    for section in sections(explanation):
        texts += [section.title, *section.before, *section.after]
        texts += [text for equation in section.equations for text in (equation.text, equation.meaning)]
        if section.lines and section.title != "Layers against time steps":
            texts += [line.removeprefix("# ") for line in section.lines(1000)]
        if section.table:
            texts += [cell.text for row in section.table.rows for cell in row]
    return {word for text in texts for word in re.split(r"[\s(]+", text)} - {"#", ""}


@st.composite
def overrides(draw: st.DrawFn) -> list[str]:
    """Any configuration as far as it changes the words."""
    cell = draw(st.sampled_from(["rnn", "lstm", "gru"]))
    choices: dict[str, Any] = {
        "model.num_layers": st.integers(1, 12),
        "model.hidden_size": st.sampled_from([7, 128, 100_000]),
        "model.bias": st.sampled_from(["true", "false"]),
        "model.batch_first": st.sampled_from(["true", "false"]),
        "model.dropout": st.sampled_from([0, 0.25]),
        "model.bidirectional": st.sampled_from(["true", "false"]),
        "model.readout": st.sampled_from(["last_step", "final_hidden", "mean", "max"]),
        "sequence": st.sampled_from(["rows", "pixels", "random_length"]),
    }
    if cell == "lstm":
        choices["model.proj_size"] = st.sampled_from([0, 3])
    if cell == "rnn":
        choices["model.nonlinearity"] = st.sampled_from(["tanh", "relu"])
    return [f"model={cell}", *(f"{key}={draw(values)}" for key, values in choices.items())]


def all_there_at_any_width(explanation: Explanation) -> None:
    words = words_of(explanation)
    for width in (40, 60, 80, 99, 100, 120, 200):
        lines = printed(explanation, width)
        assert max(map(len, lines)) <= width
        found = set(re.split(r"[\s(]+", " ".join(lines)))
        assert words <= found, (width, words - found)


@pytest.mark.parametrize("configured", VARIANTS[2:4], ids=" ".join)
def test_no_line_is_too_long_and_no_word_is_missing(configured: list[str]) -> None:
    all_there_at_any_width(explained(*configured))


@pytest.mark.slow
@given(overrides())
@settings(deadline=None, max_examples=12)
def test_no_line_is_too_long_and_no_word_is_missing_whatever_is_configured(configured: list[str]) -> None:
    all_there_at_any_width(explain(compose_checked(configured).config))


class _Text(HTMLParser):
    """The text of a page, and what it refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.open: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.outside += [str(value) for name, value in attrs if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)


@pytest.mark.parametrize("configured", VARIANTS, ids=" ".join)
def test_the_page_has_everything_and_needs_nothing(configured: list[str]) -> None:
    explanation = explained(*configured)
    page = as_html(explanation)
    assert page.isascii()
    parser = _Text()
    parser.feed(page)
    assert (parser.open, parser.outside) == ([], [])
    text = " ".join(parser.text)
    for section in sections(explanation):
        assert section.title in text
        cells = [cell.text for row in section.table.rows for cell in row] if section.table else []
        for words in (*section.before, *section.after, *cells, "\n".join(section.page_lines())):
            assert words in text
    assert page.count("<math>") == (len(explanation.equations.equations) if explanation.equations else 0)


@pytest.mark.parametrize("configured", VARIANTS, ids=" ".join)
def test_markdown_has_everything(configured: list[str]) -> None:
    explanation = explained(*configured)
    text = as_markdown(explanation).replace("\\", "").replace("`", "")
    for section in sections(explanation):
        cells = [cell.text for row in section.table.rows for cell in row] if section.table else []
        equations = [equation.text for equation in section.equations]
        for words in (section.title, *section.before, *section.after, *cells, *equations, *section.page_lines()):
            assert words in text


def test_what_a_user_names_is_no_markup() -> None:
    explanation = explained("model=gru")
    evil = Explanation(**{**vars(explanation), "module": "<script>x</script>"})
    assert "<script>" not in as_html(evil)
    assert html.escape(evil.module) in as_html(evil)


def test_ascii_output_loses_nothing(command: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    configured = "model.bidirectional=true"
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    result = command("rnn_mnist.explain", configured)
    assert (result.returncode, result.stderr) == (0, "")
    lines_of_tables = r"[-─|+\s]"
    whole = "".join(printed(explained(configured), 1000))
    assert re.sub(lines_of_tables, "", result.stdout) == re.sub(lines_of_tables, "", whole)
    assert as_markdown(explained(configured)).isascii()
