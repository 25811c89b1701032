"""The README and the pages are true: their commands compose, their links lead somewhere, the snippet runs."""

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from rnn_mnist import train
from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.data.images import DataSet
from tests.configuration.test_experiments import STUDIES, grid
from tests.conftest import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PAGES = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")]


def test_quick_start_holds_two_commands() -> None:
    section = README.partition("## Quick start")[2].partition("\n## ")[0]
    commands = [line for line in section.splitlines() if line.startswith("    python3 -m venv")]
    assert len(commands) == 2
    assert commands[0].endswith(".venv/bin/python -m rnn_mnist.train -m model.num_layers=1,2,3")
    assert commands[1].endswith(".venv/bin/python -m pytest -n auto --dist loadfile")


COMMANDS = [
    command
    for page in PAGES
    for command in re.findall(
        r"""(?:python -m rnn_mnist\.|rnn-mnist )(?:train|explain)(?! -sc)([^`#\n]*)""", page.read_text()
    )
]

SEVERAL = re.compile(r"(range|logspace|interval)\(|^hydra\.sweeper\.")
"""What is only of sweeps, and is more than values between commas."""


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    assert len(README.splitlines()) < 150
    pages = {path.stem for path in (REPOSITORY / "docs").glob("*.md")}
    assert pages - {"index", "contributing", "changelog", "licence"} <= set(re.findall(r"\(docs/(\w+)\.md", README))


def test_commands_compose() -> None:
    assert len(COMMANDS) > 20
    for command in COMMANDS:
        # A user's own: tests/catalogues/test_outside.py has one.
        if any(name in command for name in ("my_package", "directions", "experiment=widths")):
            continue
        overrides = [word for word in shlex.split(command) if "=" in word]
        compose_checked([re.sub(r"=([^,(]+),.*", r"=\1", word) for word in overrides if not SEVERAL.search(word)])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_table_of_studies_is_complete() -> None:
    table = (REPOSITORY / "docs" / "studies.md").read_text(encoding="utf-8")
    for path in STUDIES:
        runs = max(1, len(grid(path)))
        question = path.read_text().splitlines()[1].removeprefix("# ")
        assert re.search(rf"\| `{path.stem}` \| {re.escape(question)} \| {runs} ", table), path.stem


def test_the_snippet_reproduces_the_predictions(
    tmp_path: Path, mnist: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(["training.epochs=1", "training.threads=1", "data.train_fraction=0.01", "data.validation_size=0"], tmp_path)
    monkeypatch.chdir(tmp_path)
    page = (REPOSITORY / "docs" / "files.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(snippet.strip().splitlines()) == 5
    names: dict[str, Any] = {"torch": torch, "nn": nn, "images": mnist.test.images[:500]}
    exec(snippet, names)
    predicted = names["logits"].argmax(1).numpy()
    assert (predicted == np.load("predictions.npy")[:500]).mean() > 0.99
