"""``results.csv``: the table of the runs of a sweep, one row a run."""

import logging
from pathlib import Path
from typing import Any

from filelock import FileLock

from rnn_mnist.catalogues.metrics import run_metrics
from rnn_mnist.configuration.identity import flatten
from rnn_mnist.runs.run import Run, RunFormatError, write_csv

log = logging.getLogger(__name__)

RESULT_COLUMNS = (*run_metrics(), "device")
_FACTOR_GROUPS = ("model", "sequence", "optimizer", "schedule", "training", "data")

_rows: dict[Path, dict[str, dict[str, Any]]] = {}
"""What this process has read: sweep to run to row."""


def update_results(sweep_directory: Path, changed: Path | None = None) -> None:
    """Bring ``results.csv`` up to date with the directories of a sweep.

    Each row comes from a run's own files, so that it is right whoever wrote them and whatever was killed. Runs whose
    files cannot be read are left out, with a warning.

    Args:
        sweep_directory: the folder of the runs.
        changed: the one run that has changed since this process last did this; None reads them all anew.
    """
    with FileLock(sweep_directory / ".results.lock"):
        rows = _rows.get(sweep_directory)
        if rows is None or changed is None or changed.parent != sweep_directory:
            rows = _rows[sweep_directory] = {}
            directories = {
                path.parent for name in ("manifest", "status") for path in sweep_directory.glob(f"*/{name}.json")
            }
        else:
            directories = {changed}
        for directory in directories:
            rows.pop(directory.name, None)
            try:
                rows[directory.name] = _row(Run(directory))
            except RunFormatError as error:
                log.warning("warning: left out of results.csv: %s", error)
        write_csv(sweep_directory / "results.csv", [rows[name] for name in sorted(rows)])


def _row(run: Run) -> dict[str, Any]:
    manifest, status = run.manifest(), run.status()
    if not manifest:
        # Its process died before it came to train.
        return {
            "run": run.directory.name,
            "run_id": status.get("fingerprint"),
            "status": status.get("state"),
            "error": status.get("error"),
        }
    try:
        config = flatten(manifest["config"])
        return {
            "run": run.directory.name,
            "run_id": manifest["run_id"],
            "setting_id": manifest["setting_id"],
            "status": status.get("state"),
            **{key: value for key, value in config.items() if key.partition(".")[0] in _FACTOR_GROUPS},
            "seed": config["seed"],
            **dict.fromkeys(RESULT_COLUMNS),
            **{key: value for key, value in _result(run, manifest["run_id"]).items() if key in RESULT_COLUMNS},
            "commit": manifest["code"]["commit"],
            "error": status.get("error"),
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise RunFormatError(f"{run.manifest_path}: not the manifest of a run") from error


def _result(run: Run, identifier: str) -> dict[str, Any]:
    result = run.result()
    return result if result.get("run_id") == identifier else {}
