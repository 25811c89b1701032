"""The commands of docs/trackers.md, and the tracker that it shows, where the extras are installed."""

import json
import re
from pathlib import Path

import pytest

from tests.docs.test_pages import DOCS, commands_of, run

PAGE = (DOCS / "trackers.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_its_commands_run(tmp_path: Path) -> None:
    for name in ("tensorboard", "mlflow", "wandb"):
        pytest.importorskip(name, reason=f"needs the extra {name}")
    own, specification = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "my_trackers.py").write_text(own, encoding="utf-8")
    commands = commands_of("trackers")
    assert len(commands) == 4
    for words in commands:
        done = run(words, tmp_path)
        assert done.returncode == 0, done.stderr
        assert "warning" not in done.stdout
    outputs = tmp_path / "outputs"
    assert len(list(outputs.glob("tracked/*/tensorboard/events.*"))) == 4
    assert (outputs / "in_mlflow" / "mlflow.db").exists()
    assert len(list(outputs.glob("in_wandb/wandb/offline-run-*"))) == 4
    (kept,) = outputs.glob("single/*/tracked.jsonl")
    assert json.loads(kept.read_text())["epoch"] == 1
    found: dict[str, object] = {}
    exec(specification, found)
    assert getattr(found["TO_FILE"], "name", None) == "to_file"
