"""The studies that are kept, and the pages that are made of them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

KEPT = REPOSITORY / "outputs" / "reference"
pytestmark = pytest.mark.skipif(not KEPT.is_dir(), reason="the kept runs are in the repository alone")
STUDIES = sorted(path.parent for path in KEPT.glob("*/sweep.json"))


def test_the_pages_are_what_the_kept_runs_say() -> None:
    command = [sys.executable, str(REPOSITORY / "scripts" / "findings.py"), "--check"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_readme_quotes_the_findings() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    findings = _words((REPOSITORY / "docs" / "findings.md").read_text(encoding="utf-8"))
    quoted = re.findall(r"^> (- .*\n(?:>   .*\n)*)", readme, re.MULTILINE)
    assert len(quoted) == 3
    for sentence in quoted:
        assert _words(sentence.replace("\n> ", "\n")) in findings


def _words(text: str) -> str:
    return " ".join(text.split())


def test_what_is_kept_is_small_and_names_no_place_of_the_machine_that_made_it() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "outputs/reference"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    paths = [REPOSITORY / name for name in tracked if name]
    for study in STUDIES:
        assert sum(path.stat().st_size for path in paths if path.is_relative_to(study)) < 15e6, study
    for path in paths:
        assert path.suffix in {".json", ".csv", ".npy", ".png", ".html"}, path
        if path.suffix in {".json", ".csv"}:
            assert not re.search(r'["\s](/[a-z]+){2}', path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_every_kept_run_is_whole_and_of_committed_code(study: Path) -> None:
    for path in study.glob("*/manifest.json"):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        assert manifest["weights_removed"]
        assert manifest["code"]["commit"]
        # Dirty without a difference: by other files than runs are made with, such as a study that was run before it.
        assert manifest["code"]["difference"] is None
        assert (path.parent / "result.json").is_file() or (path.parent / "status.json").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_kept_runs_are_completed_runs_like_any_other(study: Path) -> None:
    command = [
        *(sys.executable, "-m", "rnn_mnist.train", "-m", f"experiment={study.name}"),
        *(f"hydra.sweep.dir=outputs/reference/{study.name}", "hydra.launcher.dry_run=true"),
    ]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert re.search(r"^0 of \d+ jobs to do", done, re.MULTILINE), done[-500:]


@pytest.mark.slow
def test_kept_runs_come_out_again() -> None:
    command = [sys.executable, "scripts/reproduce.py", "cell", "initialization", "--sample", "2"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "different" not in done.stdout
