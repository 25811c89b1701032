"""A wheel carries the configuration and the data: both commands run from an empty folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, SMALL


@pytest.mark.slow
def test_a_wheel_trains_and_explains_in_an_empty_folder(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist")]
    subprocess.run([*build, str(REPOSITORY)], check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "rnn_mnist/conf/config.yaml" in names
    assert "rnn_mnist/data/bundled/mnist/train-images-idx3-ubyte.gz" in names
    assert "rnn_mnist/data/bundled/mnist/NOTICE.md" in names
    assert "rnn_mnist/analysis/report/report.html.j2" in names
    assert any(name.endswith("LICENSE") for name in names)

    # Without the dependencies, which are here already; the wheel's own code comes first on the path.
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)

    def run(*arguments: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(site)}
        result = subprocess.run(
            [sys.executable, *arguments], cwd=empty, env=environment, check=True, capture_output=True, text=True
        )
        return result.stdout

    location = run("-c", "import rnn_mnist.configuration.compose as c; print(c.__file__, c.CONFIG_DIR)")
    assert location.count(str(site)) == 2
    assert "test accuracy" in run("-m", "rnn_mnist.train", *SMALL, f"data.root={tmp_path / 'data'}")
    assert "weight_hh_l0" in run("-m", "rnn_mnist.explain", "model=gru")
