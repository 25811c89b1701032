"""The reference of keys, as text and as the page in the documentation."""

from rnn_mnist.configuration.reference import as_page, as_text
from tests.conftest import REPOSITORY


def test_the_page_is_what_the_declarations_say() -> None:
    """After a change: ``python -m rnn_mnist.configuration.reference > docs/keys.md``."""
    assert (REPOSITORY / "docs" / "keys.md").read_text(encoding="utf-8") == as_page()


def test_the_text_fits_80_columns() -> None:
    assert max(map(len, as_text().splitlines())) <= 80
