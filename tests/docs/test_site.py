"""The documentation builds without a warning, and every link within it leads somewhere, anchors included."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.conftest import REPOSITORY

pytest.importorskip("sphinx", reason="the site needs the extra docs: pip install -c constraints.txt -e '.[docs]'")


class Page(HTMLParser):
    """The targets of a page's links and images, and the anchors that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - HTMLParser's
        named = dict(attrs)
        self.targets += [value for key in ("href", "src") if (value := named.get(key))]
        self.anchors |= {value for key in ("id", "name") if (value := named.get(key))}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(folder / "doctrees")]
    built = subprocess.run([*build, "docs", str(folder / "html")], cwd=REPOSITORY, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder / "html"


def test_every_page_of_the_folder_is_in_the_site_and_in_its_navigation(site: Path) -> None:
    pages = {path.stem for path in (REPOSITORY / "docs").glob("*.md")}
    assert pages <= {path.stem for path in site.glob("*.html")}
    linked = {urlsplit(target).path for target in Page((site / "index.html").read_text()).targets}
    assert {f"{page}.html" for page in pages - {"index"}} <= linked


def test_links_within_the_site_lead_somewhere(site: Path) -> None:
    pages = {path.resolve(): Page(path.read_text()) for path in site.rglob("*.html")}
    assert sum(len(page.targets) for page in pages.values()) > 100
    for path, page in pages.items():
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            found = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert found.exists(), f"{path.name}: {target}"
            if parts.fragment and found in pages:
                assert unquote(parts.fragment) in pages[found].anchors, f"{path.name}: {target}"


def test_the_functions_of_the_api_are_described(site: Path) -> None:
    from rnn_mnist import __all__ as functions

    anchors = Page((site / "api.html").read_text()).anchors
    assert {f"rnn_mnist.{name}" for name in functions} <= anchors
