"""What people see of a search: its plan, what is odd about a trial, and the answer at the end."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from optuna.trial import TrialState

from hydra_plugins.optuna_sweeper import ANSWER
from hydra_plugins.optuna_sweeper._options import Options
from hydra_plugins.optuna_sweeper._outcome import End
from hydra_plugins.optuna_sweeper._remeasure import Again, Interval, interval
from hydra_plugins.optuna_sweeper._space import Space, name_of
from hydra_plugins.optuna_sweeper._study import Study, overrides_of
from hydra_plugins.workstation_launcher import write_atomically, write_json

log = logging.getLogger("hydra_plugins.optuna_sweeper")

SCHEMA_VERSION = 1
_MOST_BEST = 10
_STATES = {
    TrialState.COMPLETE: "completed",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
}


def announce(space: Space, options: Options, total: int) -> None:
    """Say what is planned."""
    keys = "; ".join(f"{name_of(each.key)} in {each.text}" for each in space.dimensions)
    log.info("search: %s", keys or "nothing but the configuration itself")
    objectives = ", ".join(
        f"{direction} {name}" for direction, name in zip(options.direction, _names(options), strict=True)
    )
    runs = f" of {options.replicates} runs" if options.replicates > 1 else ""
    again = ""
    if options.measures_again:
        again = f"; then the best {options.remeasure} again, with {options.remeasure_seeds} fresh seeds"
    log.info(
        "%d trials%s by %s%s; %s%s",
        total,
        runs,
        options.sampler,
        "" if options.pruner is None else f", pruned by {options.pruner}",
        objectives,
        again,
    )
    if space.listed_seeds is not None:
        log.info(
            "%s=%s of the space does not count: trials have seed %d%s",
            name_of(space.seed_key or ""),
            space.listed_seeds,
            space.first_seed,
            "" if options.replicates == 1 else f" to {space.first_seed + options.replicates - 1}",
        )


def tell_opened(study: Study, total: int, *, carried_on: int) -> None:
    """Say where the study is, and how far it has come."""
    ended = sum(trial.state.is_finished() for trial in study.trials)
    far = f": {ended} of {total} trials have ended, {carried_on} are taken up again" if ended + carried_on else ""
    log.info("study: %s%s", study.where, far)


def tell_refused(number: int, setting: str, reason: str) -> None:
    """Say that a trial cannot be run."""
    log.warning("warning: trial %d cannot be run: %s: %s", number, setting, reason)


def tell_twin(number: int, first: int) -> None:
    """Say that a trial has the values of another one, which has ended."""
    log.info("trial %d has the values of trial %d again, and its result", number, first)


def tell_answer(directory: Path, space: Space, options: Options, study: Study, again: Again | None, total: int) -> None:
    """Say what was found, and write it down."""
    trials = study.trials
    counts = Counter(_STATES[trial.state] for trial in trials)
    log.info("search: %d trials: %s", len(trials), ", ".join(f"{count} {state}" for state, count in counts.items()))
    rows = _rows(space, options, study, again)
    names = _names(options)
    if not rows:
        log.info("no trial has a value")
    elif again is None:
        many = len(options.direction) > 1
        log.info("%s", "none of these is beaten in all objectives:" if many else "best:")
        for row in rows if many else rows[:1]:
            log.info("  %s: %s", row["setting"], _values(names, row["searched"]))
    else:
        _tell_measured_again(rows, options, names)
    content = {
        "schema_version": SCHEMA_VERSION,
        "trials": total,
        "states": dict(counts),
        "objectives": names,
        "direction": list(options.direction),
        "best": rows,
    }
    write_json(directory / ANSWER, content)
    write_atomically(directory / "optimization_results.yaml", yaml.safe_dump(_results(options, study)).encode())
    log.info("search: %s", directory / ANSWER)


def _tell_measured_again(rows: Sequence[dict[str, Any]], options: Options, names: Sequence[str]) -> None:
    seeds = options.remeasure_seeds
    log.info("measured again with %d fresh seeds (mean, and its 95 %% interval by Student's t):", seeds)
    table = [["setting", *(head for name in names for head in (f"{name} in the search", "measured again"))]]
    for row in rows:
        cells = [row["setting"] + (f" ({row['failed']} of {seeds} failed)" if row["failed"] else "")]
        for place in range(len(names)):
            measured = _interval(row["again"][place]) if row["again"] else "-"
            cells += [f"{row['searched'][place]:.6g}", measured]
        table.append(cells)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        log.info("  %s", "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if len(names) == 1 and (winner := _winner(rows, options)) is not None:
        log.info("best by the mean of fresh seeds: %s: %s", winner["setting"], _interval(winner["again"][0]))


def _winner(rows: Sequence[dict[str, Any]], options: Options) -> dict[str, Any] | None:
    measured = [row for row in rows if row["again"]]
    sign = 1 if options.direction[0] == "minimize" else -1
    return min(measured, key=lambda row: (row["failed"], sign * row["again"][0]["mean"]), default=None)


def _rows(space: Space, options: Options, study: Study, again: Again | None) -> list[dict[str, Any]]:
    """The best settings: as the search saw them, and measured again."""
    if again is None:
        found = [(trial.number, overrides_of(trial) or [], list(trial.values)) for trial in study.best]
        return [
            {"trial": number, "setting": space.setting(overrides), "overrides": overrides, "searched": values}
            for number, overrides, values in (found if len(options.direction) > 1 else found[:_MOST_BEST])
        ]
    rows = []
    for trial, overrides, searched in again.settings:
        outcomes = again.outcomes(trial)
        values = [outcome.values for outcome in outcomes if outcome.end is End.value]
        means: list[Interval] = [interval(each) for each in zip(*values, strict=True)]
        rows.append(
            {
                "trial": trial,
                "setting": space.setting(overrides),
                "overrides": overrides,
                "searched": list(searched),
                "again": [vars(each) for each in means],
                "values": [list(each) for each in values],
                "failed": len(outcomes) - len(values),
            }
        )
    return rows


def _results(options: Options, study: Study) -> dict[str, Any]:
    """What other tools expect of Optuna's sweeper for Hydra."""
    best = study.best
    if len(options.direction) > 1:
        solutions = [{"params": dict(trial.params), "values": list(trial.values)} for trial in best]
        return {"name": "optuna", "solutions": solutions}
    if not best:
        return {"name": "optuna"}
    return {"name": "optuna", "best_params": dict(best[0].params), "best_value": best[0].values[0]}


def _names(options: Options) -> list[str]:
    if options.objectives:
        return list(options.objectives)
    count = len(options.direction)
    return ["value"] if count == 1 else [f"value {place}" for place in range(count)]


def _values(names: Sequence[str], values: Sequence[float]) -> str:
    return ", ".join(f"{name} {value:.6g}" for name, value in zip(names, values, strict=True))


def _interval(found: dict[str, Any]) -> str:
    if found["low"] in (None, found["high"]):
        return f"{found['mean']:.6g}"
    return f"{found['mean']:.6g} [{found['low']:.6g}, {found['high']:.6g}]"
