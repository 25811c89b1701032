"""The report: what is in it, and that a browser shows it without errors and without asking for anything."""

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from rnn_mnist.analysis.plots.figure_kind import Sweep
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


def test_the_answer_comes_before_all_tables(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    answer = Sweep(load_runs(report.parent).frame).answer("test_accuracy")
    assert len(answer.sentences) > 1
    places = [text.index(str(escape(sentence))) for sentence in answer.sentences]
    assert answer.best is not None
    places.append(text.index(str(escape(answer.best.directory))))
    assert places == sorted(places)
    assert places[-1] < text.index("<table")


def test_the_verdict_stands_right_behind_the_names_of_what_is_compared(report: Path) -> None:
    effects = report.read_text(encoding="utf-8").partition('<section id="effects">')[2]
    labels = re.findall('data-label="([^"]*)"', effects.partition("</tr>")[2].partition("</tr>")[0])
    numbers = [label for label in labels if label in ("seeds", "p")]
    assert labels.index("verdict") < min(map(labels.index, numbers))


def test_one_script_may_run_and_it_is_the_one_of_the_page(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    (script,) = re.findall("<script>(.*?)</script>", text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert not re.search(r"\son[a-z]+=", re.sub("<script>.*?</script>", "", text, flags=re.DOTALL))


@pytest.mark.slow
def test_a_report_is_small_and_holds_so_many_settings_at_most(tmp_path: Path) -> None:
    rates = [float(f"{1e-4 * 1.01**i:.4g}") for i in range(520)]
    write_sweep(tmp_path / "rates", {"optimizer.lr": rates}, seeds=[0], files=False)
    write_report(load_runs(tmp_path / "rates"), tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "500 of 520 rows" in text
    assert len(text.encode()) < 2_000_000


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


@pytest.mark.slow
def test_runs_are_filtered_sorted_and_drawn_on_the_axes_that_are_chosen(
    browser: webdriver.Chrome, report: Path
) -> None:
    browser.get(report.as_uri())
    choices = {
        label.text.split()[0]: Select(label.find_element(By.TAG_NAME, "select"))
        for label in browser.find_elements(By.CSS_SELECTOR, "#runs label")
    }

    def points() -> int:
        return len(browser.find_elements(By.CSS_SELECTOR, "#run-scatter .point"))

    assert (points(), len(column(browser, "runs", "state"))) == (17, 18)  # one has diverged and has no accuracy
    choices["num_layers"].select_by_visible_text("10")
    assert set(column(browser, "runs", "num_layers")) == {"10"}
    assert points() == len([state for state in column(browser, "runs", "state") if state == "completed"])
    choices["num_layers"].select_by_visible_text("all")

    choices["Horizontal"].select_by_visible_text("readout")
    titles = [text.text for text in browser.find_elements(By.CSS_SELECTOR, "#run-scatter .title")]
    ticks = [text.text for text in browser.find_elements(By.CSS_SELECTOR, "#run-scatter text")]
    assert titles == ["readout", "Test accuracy (%)"]
    assert {"last_step", "mean"} <= set(ticks)

    heading = browser.find_element(By.CSS_SELECTOR, "#run-table th:nth-child(5) button")
    assert heading.text.startswith("Test accuracy")
    heading.click()
    shown = [cells.text for cells in browser.find_elements(By.CSS_SELECTOR, "#run-table td:nth-child(5)")]
    assert shown[-1] == "–"
    assert [float(text) for text in shown[:-1]] == sorted(float(text) for text in shown[:-1])


@pytest.mark.slow
@pytest.mark.parametrize("width", [420, 800, 1400])
def test_no_screen_is_too_narrow_and_rows_are_cards_on_a_small_one(
    browser: webdriver.Chrome, report: Path, width: int
) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        browser.get(report.as_uri())
        root = "document.documentElement"
        assert browser.execute_script(f"return {root}.scrollWidth <= {root}.clientWidth")
        first = browser.find_element(By.CSS_SELECTOR, "#effects tbody tr")
        cells = first.find_elements(By.TAG_NAME, "td")
        below = [cell.location["y"] for cell in cells]
        assert (len(set(below)) == len(cells)) == (width < 700)
        before = "return getComputedStyle(arguments[0], '::before').content"
        assert (browser.execute_script(before, cells[0]) == '"contrast"') == (width < 700)
        # The verdict is seen without scrolling to the side.
        verdict = first.find_element(By.CSS_SELECTOR, "[data-label=verdict]")
        assert verdict.location["x"] + verdict.size["width"] <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def _luminance(color: str) -> float:
    """Relative luminance of ``rgb(r, g, b)`` (WCAG 2.2)."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_the_scheme_that_the_reader_prefers(
    browser: webdriver.Chrome, report: Path, scheme: str
) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    try:
        browser.get(report.as_uri())
        style = "return getComputedStyle(document.querySelector(arguments[0])).getPropertyValue(arguments[1])"
        page = _luminance(browser.execute_script(style, "body", "background-color"))
        assert (page < 0.05) == (scheme == "dark")
        for selector in ("body", "caption", "nav a", ".bad", "figcaption", "td", "select"):
            text = _luminance(browser.execute_script(style, selector, "color"))
            assert (max(text, page) + 0.05) / (min(text, page) + 0.05) >= 4.5, selector
        # Figures are drawn dark on light, and stay so.
        assert _luminance(browser.execute_script(style, "figure img", "background-color")) == 1
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.slow
def test_a_grid_of_four_factors_is_under_two_megabytes_and_prints_on_few_pages(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    grid: dict[str, list[Any]] = {LAYERS: [1, 2, 3], "model.hidden_size": [64, 128, 256]}
    grid |= {"model.readout": ["last_step", "mean", "max"], "optimizer.lr": [0.001, 0.003, 0.01]}
    write_sweep(tmp_path / "grid", grid)
    write_report(load_runs(tmp_path / "grid"), tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 2_000_000
    browser.get((tmp_path / "report.html").as_uri())
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})
    pages = re.findall(rb"/Type\s*/Page\b", base64.b64decode(printed["data"]))
    assert 2 <= len(pages) <= 7
