"""The report: what is in it, and that a browser shows it without errors and without asking for anything."""

import json
import re
import shutil
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.report.render import write_report
from tests.synthetic_sweep import write_sweep

LAYERS = "model.num_layers"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("sweeps") / "depth & <readout>"
    directory.mkdir()
    write_sweep(
        directory,
        {LAYERS: [1, 2, 10], "model.readout": ["last_step", "mean"]},
        seeds=range(3),
        states={5: "failed"},
        question="Do <b>layers</b> & read-outs matter?",
    )
    write_report(load_runs(directory), directory / "report.html")
    return directory / "report.html"


class _Outline(HTMLParser):
    """Headings, images and outside references of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.images: list[dict[str, str | None]] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.images.append(dict(attrs))
        self.references += [value for name, value in attrs if name in ("src", "href", "action") and value]


def test_what_is_in_it(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    outline = _Outline()
    outline.feed(text)
    assert len(outline.images) >= 8
    assert all(image["alt"] and str(image["src"]).startswith("data:image/") for image in outline.images)
    assert all(reference.startswith(("data:", "#")) for reference in outline.references)
    page = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert "Do &lt;b&gt;layers&lt;/b&gt; &amp; read-outs matter?" in page
    assert "depth &amp; &lt;readout&gt;" in page
    assert "python -m rnn_mnist.train -m" in page
    assert "loss is nan in epoch 2, step 7" in page
    for fact in ("commit 0123456789abcdef0123456789abcdef01234567", "torch 2.14.1", "cpu", "0" * 64, "fp32"):
        assert fact in page
    assert "&lt;b&gt;" in page
    assert "<b>layers" not in text


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("chromium and chromedriver are not installed (Debian: apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--enable-unsafe-swiftshader",  # WebGL, which parallel coordinates need, without a GPU
        "--window-size=1200,1000",
        f"--user-data-dir={tmp_path_factory.mktemp('browser')}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


def log(browser: webdriver.Chrome, kind: str) -> list[dict[str, Any]]:
    """The entries since the last call."""
    entries: list[dict[str, Any]] = browser.get_log(kind)  # type: ignore[no-untyped-call]  # selenium has no types here
    return entries


def column(browser: webdriver.Chrome, section: str, heading: str) -> list[str]:
    """What the cells under a heading show, from top to bottom."""
    table = browser.find_element(By.CSS_SELECTOR, f"#{section} table")
    headings = [cell.text.split()[0] for cell in table.find_elements(By.CSS_SELECTOR, "th")]
    place = headings.index(heading) + 1
    return [cell.text for cell in table.find_elements(By.CSS_SELECTOR, f"tbody td:nth-child({place})")]


@pytest.mark.slow
def test_in_a_browser(browser: webdriver.Chrome, report: Path) -> None:
    browser.get("about:blank")
    log(browser, "performance")
    log(browser, "browser")
    browser.get(report.as_uri())
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and len(browser.find_elements(By.CSS_SELECTOR, ".main-svg")) < 3:
        time.sleep(0.2)

    # No errors, and nothing asked for but the page itself and what is inside it.
    assert [entry for entry in log(browser, "browser") if entry["level"] == "SEVERE"] == []
    messages = [json.loads(entry["message"])["message"] for entry in log(browser, "performance")]
    sent = [entry["params"]["request"]["url"] for entry in messages if entry["method"] == "Network.requestWillBeSent"]
    asked = [url for url in sent if not url.startswith(("data:", "blob:", "chrome:", "chrome-untrusted:"))]
    assert asked == [report.as_uri()]

    # Every figure is decoded and visible.
    for image in browser.find_elements(By.TAG_NAME, "img"):
        assert image.is_displayed()
        assert browser.execute_script("return arguments[0].complete && arguments[0].naturalWidth > 300", image)
        assert image.size["width"] > 300
    for view in ("parallel", "scatter"):
        assert browser.find_element(By.CSS_SELECTOR, f"#{view} .main-svg").size["height"] > 200
    assert len(browser.find_elements(By.CSS_SELECTOR, "#scatter .scatterlayer .point")) == 17
    assert "WebGL" not in browser.find_element(By.ID, "parallel").text  # which it says where that is missing
    assert len(browser.find_elements(By.CSS_SELECTOR, "#parallel .y-axis")) == 5  # two factors, seed, two accuracies

    # Sorting, by the mouse and by the keyboard, as numbers: 10 after 2.
    assert column(browser, "summary", "num_layers") == ["1", "1", "2", "2", "10", "10"]
    buttons = {entry.text.split()[0]: entry for entry in browser.find_elements(By.CSS_SELECTOR, "#summary th button")}
    buttons["num_layers"].click()
    buttons["num_layers"].click()
    assert column(browser, "summary", "num_layers") == ["10", "10", "2", "2", "1", "1"]
    buttons["test"].send_keys(Keys.ENTER)
    accuracies = [float(text.split()[0]) for text in column(browser, "summary", "test")]
    assert accuracies == sorted(accuracies)
    (sorted_by,) = browser.find_elements(By.CSS_SELECTOR, "#summary th[aria-sort]")
    assert (sorted_by.text.split()[0], sorted_by.get_attribute("aria-sort")) == ("test", "ascending")
