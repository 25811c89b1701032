"""The study in its storage: opened or begun, with its sampler and its pruner, and what is kept of each trial."""

import contextlib
import hashlib
import importlib.util
import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, PatientPruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState

from hydra_plugins.optuna_sweeper import JOURNAL
from hydra_plugins.optuna_sweeper._options import Options, SearchError
from hydra_plugins.workstation_launcher import NotPlainError, read_plain

log = logging.getLogger("hydra_plugins.optuna_sweeper")

_PLAN, _OVERRIDES, _VALUES, _AGAIN = "plan", "overrides", "values", "measured_again"
_MOST_DIFFERENCES = 4
_LOCK_SECONDS = 10
"""After which the lock of a command that was killed while it wrote is taken from it; Optuna would wait for 30."""
_SAMPLERS = {
    "tpe": "TPESampler",
    "random": "RandomSampler",
    "qmc": "QMCSampler",
    "cmaes": "CmaEsSampler",
    "gp": "GPSampler",
    "grid": "RandomSampler",  # each combination is given to it
    "nsgaii": "NSGAIISampler",
}
_SAME_SEED = ("qmc",)
"""Samplers whose place in their sequence is kept in the study; the others would draw again what they have drawn."""


class Study:
    """A study of Optuna's, whose trials are carried on by later commands."""

    def __init__(self, options: Options, directory: Path, plan: Mapping[str, Any]) -> None:
        """Open the study of a sweep, or begin it.

        Raises:
            SearchError: if it cannot be opened, or was begun with another plan, or an option is none of Optuna's.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        warnings.filterwarnings("ignore", module=r"optuna\.samplers.*", category=UserWarning)
        # A sweep's folder may be renamed, and its journal with it.
        name = options.study_name or ("search" if options.storage is None else directory.as_posix())
        self.where = str(directory / JOURNAL) if options.storage is None else f"{options.storage} ({name})"
        pruner = _pruner(options)
        _sampler(options, 0)  # nothing is written where it cannot be made
        self.storage = _storage(options, directory)
        try:
            self._study = optuna.create_study(
                storage=self.storage,
                study_name=name,
                directions=[StudyDirection[each.upper()] for each in options.direction],
                pruner=pruner,
                load_if_exists=True,
            )
        except ValueError as error:
            raise SearchError(f"{self.where}: {_line(error)}") from None
        self._study_id = self.storage.get_study_id_from_name(name)
        self._check(options, plan)
        self._study.sampler = _sampler(options, len(self.trials))
        self._prunes = not isinstance(pruner, NopPruner)
        minimizes = options.direction[0] == "minimize"
        self._sign = 1.0 if options.reports is None or (options.reports == "minimize") == minimizes else -1.0

    def _check(self, options: Options, plan: Mapping[str, Any]) -> None:
        there = self._study.user_attrs.get(_PLAN)
        if there is None:
            self._study.set_user_attr(_PLAN, dict(plan))
            self._study.set_metric_names(list(options.objectives or _numbered(options)))
            return
        differing = [
            f"{key} {there.get(key, 'none')} there, {plan.get(key, 'none')} here"
            for key in {**there, **plan}
            if there.get(key) != plan.get(key)
        ]
        if differing:
            more = len(differing) - _MOST_DIFFERENCES
            shown = differing[:_MOST_DIFFERENCES] + ([f"and {more} more"] if more > 0 else [])
            raise SearchError(
                f"{self.where}: this search was begun otherwise: {'; '.join(shown)}; give the command as it was, or "
                "another hydra.sweep.dir"
            )

    @property
    def trials(self) -> list[FrozenTrial]:
        """All that were begun, by their numbers."""
        return [trial for trial in self._study.get_trials(deepcopy=False) if trial.state is not TrialState.WAITING]

    @property
    def best(self) -> list[FrozenTrial]:
        """The completed trials, the best first; of those that ran the same the first.

        With several objectives those that no other one beats in all, in the order of the first objective.
        """
        found = [trial for trial in self.trials if trial.state is TrialState.COMPLETE]
        if len(self._study.directions) > 1 and found:
            found = list(self._study.best_trials)
        sign = 1 if self._study.directions[0] is StudyDirection.MINIMIZE else -1
        distinct: dict[tuple[str, ...], FrozenTrial] = {}
        for trial in sorted(found, key=lambda trial: (sign * trial.values[0], trial.number)):
            distinct.setdefault(tuple(overrides_of(trial) or (str(trial.number),)), trial)
        return list(distinct.values())

    def ask(self, parameters: Mapping[str, Any] | None) -> Trial:
        """A new trial, with these parameters if the sampler is not to choose."""
        waiting = any(trial.state is TrialState.WAITING for trial in self._study.get_trials(deepcopy=False))
        if parameters is not None and not waiting:
            self._study.enqueue_trial(dict(parameters))
        return self._study.ask()

    def taken_up(self, number: int) -> Trial:
        """A trial that an earlier command began, to be told what it has not yet been told."""
        return Trial(self._study, self._id(number))

    def keep_overrides(self, number: int, overrides: Sequence[str]) -> None:
        """Note what a trial runs, so that it is the same run under the next command."""
        self.storage.set_trial_user_attr(self._id(number), _OVERRIDES, list(overrides))

    def keep_values(self, number: int, values: Sequence[Sequence[float]]) -> None:
        """Note what the runs of a trial have come to so far; ``[replicate][objective]``."""
        self.storage.set_trial_user_attr(self._id(number), _VALUES, [list(each) for each in values])

    def keep_note(self, number: int, name: str, text: str) -> None:
        """Note something for people."""
        self.storage.set_trial_user_attr(self._id(number), name, text)

    def report(self, number: int, step: int, value: float) -> bool:
        """Note a value before the end, and say whether the pruner finds the trial hopeless."""
        with contextlib.suppress(optuna.exceptions.UpdateFinishedTrialError):
            self.storage.set_trial_intermediate_value(self._id(number), step, self._sign * value)
        trial = self.storage.get_trial(self._id(number))
        return self._prunes and bool(self._study.pruner.prune(self._study, trial))

    def tell(self, number: int, state: TrialState, values: Sequence[float] | None = None) -> None:
        """Say how a trial ended."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._study.tell(
                number, values=None if values is None else list(values), state=state, skip_if_finished=True
            )

    @property
    def measured_again(self) -> list[dict[str, Any]]:
        """What :meth:`keep_measured_again` has kept."""
        return list(self._study.user_attrs.get(_AGAIN, []))

    def keep_measured_again(self, runs: Sequence[Mapping[str, Any]]) -> None:
        """Note what the best settings came to when they were measured again."""
        self._study.set_user_attr(_AGAIN, [dict(run) for run in runs])

    def _id(self, number: int) -> int:
        return self.storage.get_trial_id_from_study_id_trial_number(self._study_id, number)


def overrides_of(trial: FrozenTrial) -> list[str] | None:
    """What a trial runs; None if it was stopped before that was settled."""
    found = trial.user_attrs.get(_OVERRIDES)
    return None if found is None else [str(each) for each in found]


def values_of(trial: FrozenTrial) -> list[list[float]]:
    """What the runs of a trial have come to so far; ``[replicate][objective]``."""
    return [[float(value) for value in each] for each in trial.user_attrs.get(_VALUES, [])]


def _numbered(options: Options) -> list[str]:
    count = len(options.direction)
    return ["value"] if count == 1 else [f"value {place}" for place in range(count)]


def _storage(options: Options, directory: Path) -> BaseStorage:
    if options.storage is not None:
        try:
            return optuna.storages.get_storage(options.storage)
        except Exception as error:  # of whatever library reads the URL
            raise SearchError(f"hydra.sweeper.storage={options.storage}: {_line(error)}") from None
    path = directory / JOURNAL
    directory.mkdir(parents=True, exist_ok=True)
    _end_last_line(path)
    # Not Optuna's default, a link to the journal: made from a relative path it leads nowhere, and one of those that a
    # kill has left is waited for without end.
    lock = JournalFileOpenLock(str(path), _LOCK_SECONDS)
    left = path.with_name(f"{path.name}.lock")
    if left.is_symlink() and not left.exists():
        left.unlink(missing_ok=True)
    try:
        return JournalStorage(JournalFileBackend(str(path), lock))
    except Exception as error:  # whatever Optuna makes of what lies there
        raise SearchError(f"{path}: not a journal of Optuna's ({_line(error)}); delete it to begin anew") from None


def _end_last_line(path: Path) -> None:
    """Cut off an entry of which a kill has left a part: what is written after it could not be read."""
    try:
        content = read_plain(path, 1 << 32)
    except FileNotFoundError:
        return
    except NotPlainError as error:
        raise SearchError(f"{path}: {_line(error)}") from None
    if content and not content.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(content.rfind(b"\n") + 1)


def _sampler(options: Options, trials: int) -> BaseSampler:
    name, given = options.sampler, dict(options.sampler_options)
    if options.seed is not None:
        given.setdefault("seed", options.seed if name in _SAME_SEED else _seed(options.seed, trials))
    if name == "qmc":
        given.setdefault("warn_asynchronous_seeding", False)
        given.setdefault("scramble", True)
    if name == "cmaes" and importlib.util.find_spec("cmaes") is None:  # Optuna says it late
        raise SearchError("hydra.sweeper.sampler=cmaes: not installed; pip install cmaes")
    if name == "nsgaii":
        given.setdefault("population_size", 10)
    try:
        sampler: BaseSampler = getattr(optuna.samplers, _SAMPLERS[name])(**given)
    except (TypeError, ValueError) as error:
        raise SearchError(f"hydra.sweeper.sampler_options={given}: {_line(error)}") from None
    return sampler


def _seed(seed: int, trials: int) -> int:
    """Another seed for each command that goes on, so that a sampler does not draw again what it has drawn."""
    if trials == 0:
        return seed
    return int.from_bytes(hashlib.sha256(f"{seed} {trials}".encode()).digest()[:4], "big")


def _pruner(options: Options) -> BasePruner:
    given = dict(options.pruner_options)
    try:
        if options.pruner == "median":
            return MedianPruner(**given)
        if options.pruner == "hyperband":
            return HyperbandPruner(**given)
        if options.pruner == "patient":
            own = {"patience": given.pop("patience", 3), "min_delta": given.pop("min_delta", 0.0)}
            return PatientPruner(MedianPruner(**given), **own)
    except (TypeError, ValueError) as error:
        raise SearchError(f"hydra.sweeper.pruner_options={given}: {_line(error)}") from None
    if given:
        raise SearchError(f"hydra.sweeper.pruner_options={given}: hydra.sweeper.pruner is null")
    return NopPruner()


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
