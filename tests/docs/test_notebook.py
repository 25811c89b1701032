"""docs/notebook.md is run from top to bottom, as who pastes it into a notebook runs it."""

import re
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from tests.conftest import REPOSITORY

BLOCKS = re.findall(r"```python\n(.*?)```", (REPOSITORY / "docs" / "notebook.md").read_text(), re.DOTALL)


@pytest.mark.slow
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    names: dict[str, Any] = {}
    for block in BLOCKS:
        exec(compile(block, "docs/notebook.md", "exec"), names)
    plt.close("all")

    assert (tmp_path / "outputs" / "single" / "first" / "result.json").exists()
    assert len(names["runs"].frame) == 6
    assert all((tmp_path / name).stat().st_size > 0 for name in ("effect.png", "own.png", "digit.png"))
    predictions = np.load(Path(names["best"]["directory"]) / "predictions.npy")
    assert names["probabilities"].argmax() == predictions[0]
