"""The commands of the pages run, from the top of a page to its end, as who works through the page types them.

Networks see 1 % of the images for one epoch, unless the command says otherwise itself.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
TINY = ("data.train_fraction=0.01", "training.epochs=1", "training.threads=1")
# Some sweeps draw their figures at the end, as tests/commands/test_sweep_end.py has it; here that is only time.
QUIET = "hydra.launcher.on_sweep_end=null"
ENTRIES = re.compile(r"(?:rnn-mnist|python -m rnn_mnist\.(?=train|explain)) ?(.*)")
PAGES = {"first_sweep": 12, "sweeps": 15, "grid": 3, "machines": 3, "questions": 11, "studies": 7}
"""The pages, and how many commands each has at least."""


def commands_of(page: str) -> list[list[str]]:
    """The words after ``rnn-mnist`` of each indented command, of ``python -m rnn_mnist.train`` as well."""
    found = []
    for line in (DOCS / f"{page}.md").read_text(encoding="utf-8").splitlines():
        match = ENTRIES.fullmatch(line[4:].strip()) if line.startswith("    ") else None
        if match:
            found.append(shlex.split(match[1], comments=True))
    return found


def made_tiny(words: list[str]) -> list[str]:
    """The same command on few images; what it sets itself stays."""
    if words[0] != "train" or "hydra.launcher.dry_run=true" in words:
        return words
    given = {word.partition("=")[0] for word in words}
    extra = [override for override in TINY if override.partition("=")[0] not in given]
    return [*words, *extra, *([QUIET] if "-m" in words else [])]


def prepare(page: str, folder: Path) -> None:
    """What the page has its reader write."""
    if name := {"studies": "directions", "grid": "widths"}.get(page):
        (study,) = re.findall(r"```yaml\n(.*?)```", (DOCS / f"{page}.md").read_text(encoding="utf-8"), re.DOTALL)
        (folder / "studies").mkdir()
        (folder / "studies" / f"{name}.yaml").write_text(study, encoding="utf-8")


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """The command, made tiny, in ``folder``; nobody is there to answer it."""
    return subprocess.run(
        [sys.executable, "-m", "rnn_mnist", *made_tiny(words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "MPLBACKEND": "Agg"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_run(page: str, tmp_path: Path) -> None:
    prepare(page, tmp_path)
    commands = commands_of(page)
    assert len(commands) >= PAGES[page]
    failed = []
    for words in commands:
        if any(word.startswith("hydra/sweeper=") for word in words):  # tests/resolve/test_rnn_mnist.py
            continue
        done = run(words, tmp_path)
        if done.returncode:
            failed.append(f"rnn-mnist {shlex.join(words)}: {done.returncode}: {done.stderr.strip()[-300:]}")
    assert not failed, "\n".join(failed)


@pytest.mark.slow
def test_more_seeds_run_only_what_is_new(tmp_path: Path) -> None:
    """What docs/sweeps.md promises of a longer command in the same folder, and of a folder that was moved."""
    three, five, *_ = [words for words in commands_of("sweeps") if words[0] == "train"]
    assert "6 jobs" in run(three, tmp_path).stdout
    assert "10 jobs, 6 already done" in run(five, tmp_path).stdout
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "outputs" / "layers").rename(tmp_path / "elsewhere" / "layers")
    assert "num_layers=1" in run(["compare", "elsewhere/layers"], tmp_path).stdout
    assert "elsewhere/layers" in run(["runs", "elsewhere/layers", "--best", "1"], tmp_path).stdout
