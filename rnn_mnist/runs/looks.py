"""How often the answer of a growing sweep was looked at, kept beside it.

Who looks after every added seed and stops at the first finding is wrong far more often than his interval says: a third
of the time within 64 seeds at a nominal 5 %. From the second look at more seeds of the same settings on, intervals are
therefore those of :mod:`rnn_mnist.analysis.statistics.anytime`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hydra_plugins.resolve_sweeper import PLAN
from hydra_plugins.workstation_launcher import write_json
from rnn_mnist.runs.files import SCHEMA_VERSION, RunFormatError, read_json
from rnn_mnist.runs.record import RunRecord, State

LOOKS = "looks.json"


def look_at(records: Iterable[RunRecord]) -> int:
    """Note that somebody looks at these runs, in ``looks.json`` of each of their sweeps; how many looks that makes.

    A look counts when a setting that was there at an earlier one has more runs than then. The same runs again, or other
    settings beside them, are no further look. Where the folder cannot be written, the look is not kept.
    """
    counts: Counter[str] = Counter()
    settings: dict[Path, set[str]] = {}
    for record in records:
        if record.setting_id is not None and (record.state == State.completed or record.diverged):
            counts[record.setting_id] += 1
            settings.setdefault(record.directory.parent, set()).add(record.setting_id)
    return max((_look(sweep, {name: counts[name] for name in names}) for sweep, names in settings.items()), default=1)


def looked_before(records: Iterable[RunRecord]) -> bool:
    """Note that somebody looks; whether plain intervals of these runs would say too much: a later look, or a plan."""
    records = list(records)
    return plan_of(records) is not None or look_at(records) > 1


def plan_of(records: Iterable[RunRecord]) -> Path | None:
    """The plan that added seeds until it was settled (``hydra/sweeper=resolve``), if one made some of these runs.

    Its own verdicts are those to quote: what decides when to stop also decides what an interval is worth.
    """
    sweeps = dict.fromkeys(record.directory.parent for record in records)
    return next((sweep / PLAN for sweep in sweeps if (sweep / PLAN).exists()), None)


def _look(sweep: Path, counts: Mapping[str, int]) -> int:
    path = sweep / LOOKS
    looks, before = _known(path)
    # What was there at a look that cannot be read is taken to have grown since.
    grown = bool(looks and not before) or any(counts[name] > before[name] for name in counts.keys() & before.keys())
    if looks and not grown and not counts.keys() - before.keys():
        return len(looks)
    if grown or not looks:
        when = datetime.now(UTC).isoformat(timespec="seconds")
        looks = [*looks, {"when": when, "runs": sum(counts.values())}]
    merged = {name: max(counts.get(name, 0), before.get(name, 0)) for name in {**before, **counts}}
    with suppress(OSError):
        write_json(path, {"schema_version": SCHEMA_VERSION, "looks": looks, "runs": merged})
    return len(looks)


def _known(path: Path) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The looks so far, and the runs of each setting at the last; of a broken file, one look at who knows what."""
    try:
        known = read_json(path)
    except RunFormatError:
        return [{}], {}
    looks, runs = known.get("looks", []), known.get("runs", {})
    whole = isinstance(looks, list) and isinstance(runs, dict) and all(isinstance(n, int) for n in runs.values())
    return (looks, runs) if whole else ([{}], {})
