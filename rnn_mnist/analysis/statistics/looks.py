"""How often the answer of a growing sweep was looked at, kept beside it.

Who looks after every added seed and stops at the first finding is wrong far more often than his interval says: 14 % of
the time by ten seeds at a nominal 5 %. From the second look at more seeds of the same settings on, intervals are
therefore those of :mod:`rnn_mnist.analysis.statistics.anytime`.
"""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from hydra_plugins.workstation_launcher import write_json
from rnn_mnist.runs.files import SCHEMA_VERSION, read_json
from rnn_mnist.runs.record import State

LOOKS = "looks.json"


def look_at(runs: pd.DataFrame) -> int:
    """Note that somebody looks at these runs, in ``looks.json`` of each of their sweeps; how many looks that makes.

    A look counts when a setting that was there at an earlier one has more runs than then. The same runs again, or other
    settings beside them, are no further look. Where the folder cannot be written, the look is not kept.
    """
    runs = runs[(runs["status"] == State.completed) | runs["diverged"]]
    counts = {str(setting): int(count) for setting, count in runs["setting_id"].value_counts().items()}
    settings: dict[Path, set[str]] = {}
    for directory, setting in zip(runs["directory"], runs["setting_id"], strict=True):
        settings.setdefault(Path(directory).parent, set()).add(str(setting))
    return max((_look(sweep, {name: counts[name] for name in names}) for sweep, names in settings.items()), default=1)


def _look(sweep: Path, counts: dict[str, int]) -> int:
    path = sweep / LOOKS
    known = read_json(path)
    before: dict[str, int] = known.get("runs", {})
    looks: list[dict[str, object]] = known.get("looks", [])
    grown = any(counts[name] > before[name] for name in counts.keys() & before.keys())
    if looks and not grown and not counts.keys() - before.keys():
        return len(looks)
    if grown or not looks:
        when = datetime.now(UTC).isoformat(timespec="seconds")
        looks = [*looks, {"when": when, "runs": sum(counts.values())}]
    merged = {name: max(counts.get(name, 0), before.get(name, 0)) for name in {**before, **counts}}
    with suppress(OSError):
        write_json(path, {"schema_version": SCHEMA_VERSION, "looks": looks, "runs": merged})
    return len(looks)
