"""One search from its first trial to its answer: what runs next, and what becomes of it.

It is a stream of jobs for a launcher that takes one, and is asked for batches for any other. All that it decides by
lies in the study, so that a new process goes on with the same.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from hydra.core.utils import JobReturn
from omegaconf import DictConfig, OmegaConf
from optuna.trial import Trial, TrialState

from hydra_plugins.optuna_sweeper import _display as display
from hydra_plugins.optuna_sweeper._options import Options, SearchError
from hydra_plugins.optuna_sweeper._outcome import End, Measure, Outcome, outcome_of
from hydra_plugins.optuna_sweeper._remeasure import Again, choose
from hydra_plugins.optuna_sweeper._space import Dimension, Space, name_of
from hydra_plugins.optuna_sweeper._study import Study, overrides_of, values_of

Compose = Callable[[Sequence[str]], DictConfig]
"""From overrides to a job's configuration."""

_TRIALS = 20
_REFUSED = "refused"
_MOST_REFUSED = 20
"""Trials that the application may refuse one after another, from the first on, before that is taken for a mistake."""


@dataclass
class _Open:
    """A trial that has not ended."""

    number: int
    overrides: list[str]
    """Without the seed."""
    values: list[list[float]] = field(default_factory=list)
    """Of its runs that have ended, ``[replicate][objective]``."""


class Search:
    """What the launcher is to run, as long as it asks."""

    def __init__(
        self,
        space: Space,
        options: Options,
        measure: Measure | None,
        compose: Compose,
        directory: Path,
        plan: Mapping[str, Any],
    ) -> None:
        """Nothing is opened before :meth:`begin`."""
        self._space, self._options, self._measure = space, options, measure
        self._compose, self._directory, self._plan = compose, directory, plan
        self._grid = self._combinations() if options.sampler == "grid" else None
        wanted = options.n_trials or (_TRIALS if self._grid is None else len(self._grid))
        self.total = wanted if self._grid is None else min(wanted, len(self._grid))
        """Trials in all."""
        self._open: dict[int, _Open] = {}
        self._ready: deque[tuple[int, list[str]]] = deque()
        self._first: dict[tuple[str, ...], int] = {}
        """Of trials with the same overrides, the first that did not fail."""
        self._twins: dict[int, list[int]] = {}
        self._begun = self._refused = self._accepted = 0
        self._again: Again | None = None

    def announce(self) -> None:
        """Say what is planned."""
        display.announce(self._space, self._options, self.total)

    def begin(self) -> None:
        """Open the study, and take up what earlier commands have left.

        Raises:
            SearchError: if it cannot be opened, or was begun with another plan.
        """
        self.study = Study(self._options, self._directory, self._plan)
        trials = self.study.trials
        self._begun = len(trials)
        self.total = max(self.total, self._begun)
        for trial in trials:
            if trial.state.is_finished():
                overrides = overrides_of(trial)
                if overrides is not None and trial.state is not TrialState.FAIL:
                    self._first.setdefault(tuple(overrides), trial.number)
        for trial in trials:
            if not trial.state.is_finished():
                overrides = overrides_of(trial) or self._chosen(self.study.taken_up(trial.number))
                self._take_on(_Open(trial.number, overrides, values_of(trial)))
        display.tell_opened(self.study, self.total, carried_on=len(self._open))
        self._settle()

    @property
    def is_over(self) -> bool:
        """Whether all trials have ended, and the best of them have been measured again."""
        return self._begun >= self.total and not self._open and (self._again is None or self._again.is_over)

    @property
    def left(self) -> int:
        """Runs that are still to end, as far as that is known."""
        options = self._options
        trials = max(0, self.total - self._begun) + len(self._open)
        again = options.remeasure * options.remeasure_seeds if options.measures_again else 0
        return trials * options.replicates + (again if self._again is None else self._again.left)

    def next(self, free: int) -> list[tuple[int, Sequence[str]]]:
        """Number and overrides of the runs that begin now, at most ``free``."""
        found: list[tuple[int, Sequence[str]]] = []
        while len(found) < free:
            if self._ready:
                found.append(self._ready.popleft())
            elif self._begun < self.total:
                self._begin_trial()
            elif self._again is not None and (job := self._again.next()) is not None:
                found.append((self._first_number_of_again + job.place, self._space.with_seed(job.overrides, job.seed)))
            else:
                break
        return found

    def reported(self, number: int, step: int, value: float) -> bool:
        """Pass a value on to the pruner, and say whether the run is hopeless."""
        trial = number // self._options.replicates
        if self._options.replicates > 1 or trial not in self._open or number >= self._first_number_of_again:
            return False  # with replicates, one of them is the least that a pruner is told
        return self.study.report(trial, step, value)

    def refused(self, number: int, error: Exception) -> None:
        """The application does not take the configuration of a run."""
        self._refused += 1
        reason = " ".join(str(error).split()) or type(error).__name__
        if number < self._first_number_of_again:
            trial = self._open[number // self._options.replicates]
            display.tell_refused(trial.number, self._space.setting(trial.overrides), reason)
            if self._accepted == 0 and self._refused >= _MOST_REFUSED:
                raise error
            self.study.keep_note(trial.number, _REFUSED, reason)
            self._close(trial, TrialState.FAIL)
        else:
            self._note_again(number, Outcome(End.failed, reason=reason))

    def ended(self, number: int, result: JobReturn) -> None:
        """A run has ended."""
        self._accepted += 1
        outcome = outcome_of(result, self._options, self._measure)
        if number >= self._first_number_of_again:
            self._note_again(number, outcome)
            return
        trial = self._open[number // self._options.replicates]
        if outcome.end is End.failed:
            self.study.keep_note(trial.number, "error", outcome.reason)
            self._close(trial, TrialState.FAIL)
        elif outcome.end is End.pruned:
            self._close(trial, TrialState.PRUNED)
        else:
            trial.values.append(list(outcome.values))
            self._go_on(trial)

    def _go_on(self, trial: _Open) -> None:
        """A run of a trial has a value: another one follows, or the trial has ended."""
        replicates, values = self._options.replicates, trial.values
        if replicates == 1:
            self._close(trial, TrialState.COMPLETE, values[0])
            return
        self.study.keep_values(trial.number, values)
        means = [fmean(each) for each in zip(*values, strict=True)]
        hopeless = len(means) == 1 and self.study.report(trial.number, len(values), means[0])
        if len(values) >= replicates:
            self._close(trial, TrialState.COMPLETE, means)
        elif hopeless:
            self._close(trial, TrialState.PRUNED)
        else:
            self._have_run(trial)

    def _close(self, trial: _Open, state: TrialState, values: Sequence[float] | None = None) -> None:
        del self._open[trial.number]
        for number in (trial.number, *self._twins.pop(trial.number, ())):
            self._open.pop(number, None)
            self.study.tell(number, state, values)
        if state is TrialState.FAIL:
            self._first.pop(tuple(trial.overrides), None)
        self._settle()

    def _settle(self) -> None:
        """Once the last trial has ended, see what is to be measured again."""
        over = self._begun >= self.total and not self._open
        if over and self._again is None and self._options.measures_again:
            self._again = choose(self.study, self._options)

    def _begin_trial(self) -> None:
        parameters = None
        if self._grid is not None:
            parameters = self._space.parameters(self._grid[self._begun])
        trial = self.study.ask(parameters)
        self._begun += 1
        self._take_on(_Open(trial.number, self._chosen(trial)))

    def _take_on(self, trial: _Open) -> None:
        """Have a trial run, unless another one with the same overrides has, or will."""
        self.study.keep_overrides(trial.number, trial.overrides)
        first = self._first.setdefault(tuple(trial.overrides), trial.number)
        self._open[trial.number] = trial
        if first == trial.number:
            self._have_run(trial)
        elif first in self._open:
            self._twins.setdefault(first, []).append(trial.number)
        else:
            known = next(each for each in self.study.trials if each.number == first)
            display.tell_twin(trial.number, first)
            self._close(trial, known.state, known.values if known.state is TrialState.COMPLETE else None)

    def _have_run(self, trial: _Open) -> None:
        place = len(trial.values)
        number = trial.number * self._options.replicates + place
        self._ready.append((number, self._space.with_seed(trial.overrides, place)))

    def _chosen(self, trial: Trial) -> list[str]:
        """The overrides of a trial; what of it is settled already stays as it is."""
        conditional = {condition.key: condition for condition in self._options.conditions}
        chosen: dict[str, str] = {}
        for dimension in self._space.dimensions:
            if name_of(dimension.key) not in conditional:
                chosen[dimension.key] = dimension.suggest(trial)
        for dimension in self._conditional_dimensions():
            if self._is_searched(dimension, chosen):
                chosen[dimension.key] = dimension.suggest(trial)
        return self._space.overrides(chosen)

    def _conditional_dimensions(self) -> list[Dimension]:
        """Those of which a condition says when they are searched, in the order of the conditions."""
        by_name = {name_of(dimension.key): dimension for dimension in self._space.dimensions}
        return [by_name[each.key] for each in self._options.conditions if each.key in by_name]

    def _is_searched(self, dimension: Dimension, chosen: Mapping[str, str]) -> bool:
        condition = next(each for each in self._options.conditions if each.key == name_of(dimension.key))
        config = self._compose(self._space.overrides(chosen))
        try:
            return condition.holds(lambda key: _select(config, key))
        except ValueError as error:
            raise SearchError(str(error)) from None

    def _combinations(self) -> list[dict[str, str]]:
        """The grid; combinations that differ in keys alone that are not searched there are one."""
        found: dict[tuple[str, ...], dict[str, str]] = {}
        conditional = self._conditional_dimensions()
        for combination in self._space.combinations():
            chosen = {key: value for key, value in combination.items() if all(key != each.key for each in conditional)}
            for dimension in conditional:
                if self._is_searched(dimension, chosen):
                    chosen[dimension.key] = combination[dimension.key]
            found.setdefault(tuple(self._space.overrides(chosen)), chosen)
        return list(found.values())

    @property
    def _first_number_of_again(self) -> int:
        """Of the runs that measure the best settings again: they come after all trials."""
        return self.total * self._options.replicates

    def _note_again(self, number: int, outcome: Outcome) -> None:
        assert self._again is not None
        self._again.note(number - self._first_number_of_again, outcome)
        self.study.keep_measured_again(self._again.rows())

    @property
    def failed(self) -> tuple[int, int]:
        """How many trials and measurements have failed, also under earlier commands, and of how many.

        A configuration that the application refused has not failed: it was not run.
        """
        ended = [trial for trial in self.study.trials if trial.state.is_finished()]
        failed = [trial for trial in ended if trial.state is TrialState.FAIL and _REFUSED not in trial.user_attrs]
        again = [] if self._again is None else self._again.rows()
        lost = sum(row["end"] is End.failed for row in again)
        return len(failed) + lost, len(ended) + len(again)

    def tell_answer(self) -> None:
        """Say what was found, and write it down."""
        display.tell_answer(self._directory, self._space, self._options, self.study, self._again, self.total)


def _select(config: DictConfig, key: str) -> Any:
    choices = config.hydra.runtime.choices
    if key in choices:
        return choices[key]
    found = OmegaConf.select(config, key, default=None, throw_on_missing=False)
    return OmegaConf.to_container(found) if OmegaConf.is_config(found) else found
