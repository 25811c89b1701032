"""How long the runs of a large sweep take to read."""

import json
import tempfile
import time
from pathlib import Path

from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.configuration.compose import compose_checked
from rnn_mnist.configuration.identity import config_as_dict, run_id, setting_id
from rnn_mnist.configuration.resolution import resolve
from rnn_mnist.runs.record import RESULT_COLUMNS


def measure(runs: int) -> None:
    """Write the JSON files of ``runs`` runs, and time :func:`rnn_mnist.analysis.reading.results.load_runs` on them."""
    config = compose_checked([]).config
    with tempfile.TemporaryDirectory() as folder:
        sweep = Path(folder) / "sweep"
        for seed in range(runs):
            config.seed = seed
            identifier = run_id(resolve(config).config)
            _write(sweep / f"seed={seed}__{identifier}", identifier, setting_id(config), config_as_dict(config))
        start = time.perf_counter()
        table = load_runs(sweep)
        seconds = time.perf_counter() - start
    print(f"{len(table.frame):,} runs read in {seconds:.1f} s ({1e6 * seconds / runs:.0f} µs a run)")


def _write(directory: Path, identifier: str, setting: str, config: dict[str, object]) -> None:
    directory.mkdir(parents=True)
    identity = {"run_id": identifier, "setting_id": setting}
    contents = {
        "manifest": {**identity, "config": config, "overrides": [], "code": {"commit": None}, "schema_version": 1},
        "status": {"state": "completed", "schema_version": 1},
        "result": {**dict.fromkeys(RESULT_COLUMNS, 0.5), **identity, "schema_version": 1},
    }
    for name, content in contents.items():
        (directory / f"{name}.json").write_text(json.dumps(content, indent=2))
