"""The end of a sweep: what a person sees of it, and what its trackers get."""

import logging
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rnn_mnist.analysis.report import sweep_end
from rnn_mnist.catalogues.trackers import NONE, TRACKERS
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.files import read_json
from rnn_mnist.training.trackers.tracking import make

log = logging.getLogger(__name__)

_STAMP = ".trackers_have_figures"


def present(sweep_directory: Path) -> None:
    """Print table and answer and draw the figures, as :func:`rnn_mnist.analysis.report.sweep_end.present`.

    Then say which runs a tracker lacks, and give the figures to the trackers that the runs were written to.
    """
    sweep_end.present(sweep_directory)
    manifests = list(_manifests(sweep_directory))
    lacking = Counter(
        (str(name), str(reason))
        for manifest in manifests
        for name, reason in (manifest.get("tracker_failures") or {}).items()
    )
    for (name, reason), count in lacking.items():
        log.warning("warning: tracker=%s lacks some or all of %d of %d runs: %s", name, count, len(manifests), reason)
    chosen = [manifest["config"].get("tracker", NONE) for manifest in manifests]
    names = dict.fromkeys(str(name) for value in chosen for name in (value if isinstance(value, list) else [value]))
    # A path of somebody's own class is not taken from files that anybody may have written.
    _give_figures(sweep_directory, [name for name in names if name in TRACKERS])


def _manifests(sweep_directory: Path) -> Iterable[dict[str, Any]]:
    for path in sorted(sweep_directory.glob("*/manifest.json")):
        try:
            manifest = read_json(path)
        except ExpectedError:
            continue  # which has been said
        if isinstance(manifest.get("config"), dict):
            yield manifest


def _give_figures(sweep_directory: Path, names: list[str]) -> None:
    figures = sorted((sweep_directory / "figures").glob("*.png"))
    stamp = sweep_directory / _STAMP
    runs = [path.stat().st_mtime_ns for path in sweep_directory.glob("*/result.json")]
    if not names or not figures or (stamp.exists() and stamp.stat().st_mtime_ns > max(runs, default=0)):
        return
    for name in names:
        try:
            TRACKERS[name].refuse_absent()
            make(TRACKERS[name]).figures(sweep_directory.absolute(), [path.absolute() for path in figures])
        except Exception as error:
            log.warning("warning: tracker=%s lacks the figures: %s", name, " ".join(str(error).split())[:200])
    try:
        stamp.touch()
    except OSError:
        return  # they are given again
