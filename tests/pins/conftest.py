"""The code that made the first sweeps, taken out of this repository's history."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

FIRST = "272c665"


@pytest.fixture(scope="session")
def first_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of commit 272c665: its ``rnn_mnist`` and ``hydra_plugins`` are first on a path to it."""
    archive = subprocess.run(["git", "archive", FIRST], cwd=REPOSITORY, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"commit {FIRST} is not in the history here (a shallow clone, or no repository)")
    folder = tmp_path_factory.mktemp("first_code")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder
