"""The reference of keys, as text and as the page in the documentation."""

from rnn_mnist.configuration.reference import as_markdown, as_text
from tests.conftest import REPOSITORY


def test_the_page_is_what_the_declarations_say() -> None:
    """After a change: ``python -c "from rnn_mnist.configuration.reference import as_markdown as m; print(m())"``."""
    page = (REPOSITORY / "docs" / "keys.md").read_text(encoding="utf-8")
    assert page.endswith(as_markdown())


def test_the_text_fits_80_columns() -> None:
    assert max(map(len, as_text().splitlines())) <= 80
