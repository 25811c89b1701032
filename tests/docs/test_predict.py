"""docs/predict.md is run from top to bottom on a picture as somebody would bring it."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rnn_mnist.data.files import load_test_images
from tests.conftest import REPOSITORY

BLOCKS = re.findall(r"```python\n(.*?)```", (REPOSITORY / "docs" / "predict.md").read_text(), re.DOTALL)


@pytest.mark.slow
def test_the_page_reads_a_digit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    seven = load_test_images()[0][0]
    page = np.full((640, 480), 250, np.uint8)  # light paper, the digit dark and far from its middle
    page[40:320, 150:430] = 250 - np.asarray(Image.fromarray(seven).resize((280, 280))) * 0.9
    Image.fromarray(page).convert("RGB").save("digit.png")
    names: dict[str, Any] = {}
    for block in BLOCKS:
        exec(compile(block, "docs/predict.md", "exec"), names)
    assert names["best"] == 7
    assert np.array_equal(names["predicted"], np.load(tmp_path / names["run"] / "predictions.npy"))
    assert Image.open("seen.png").size == (280, 280)
