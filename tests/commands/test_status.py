"""``rnn-mnist status`` as a user meets it."""

import json
import subprocess
import sys
from pathlib import Path

from tests.commands.conftest import RunPython


def test_status_counts_what_was_planned(process: RunPython, early: Path) -> None:
    jobs = {path.name[-12:]: {"directory": path.name, "overrides": []} for path in early.iterdir() if path.is_dir()}
    jobs["ffffffffffff"] = {"directory": "not_there_yet", "overrides": []}
    (early / "sweep.json").write_text(
        json.dumps({"schema_version": 1, "command": ["rnn-mnist", "train"], "jobs": jobs})
    )
    counted = process("status", "early").stdout.splitlines()[0]
    assert counted == "early: 3 planned: 1 failed, 1 running, 1 not started"
    # Nobody is at work any more: what is still called running was killed.
    (running,) = (path for path in early.glob("*/status.json") if '"running"' in path.read_text())
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    running.write_text(json.dumps({**json.loads(running.read_text()), "pid": gone.pid}))
    counted, *hints = process("status", "early").stdout.splitlines()
    assert counted == "early: 3 planned: 1 failed, 1 interrupted, 1 not started"
    assert any("rnn-mnist runs early --failed" in hint for hint in hints)
    assert any(hint.endswith(": rnn-mnist train") for hint in hints)


def test_status_of_what_is_no_sweep_is_one_line(rnn_mnist: RunPython, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = rnn_mnist("status", "empty")
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert result.stderr.startswith("error: empty: ")
