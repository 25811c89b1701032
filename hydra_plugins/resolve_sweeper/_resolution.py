"""One sweep from its plan to its answer: which runs are next, and what their outcomes settle."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hydra.core.utils import JobReturn
from omegaconf import DictConfig

from hydra_plugins.resolve_sweeper import _display as display
from hydra_plugins.resolve_sweeper._decision import Code, Design, by_seed_differences, judge
from hydra_plugins.resolve_sweeper._grid import Grid
from hydra_plugins.resolve_sweeper._options import Options, ResolveError
from hydra_plugins.resolve_sweeper._outcomes import Measure, Outcome, Outcomes, outcome_of
from hydra_plugins.resolve_sweeper._record import Record, make_plan
from hydra_plugins.resolve_sweeper._sequential import spread_looks
from hydra_plugins.resolve_sweeper._verdicts import Finding, find

_FIRST_LOOK = 5


class Resolution:
    """Where a sweep stands. All that it decides by lies in its record, so that a new process goes on with the same."""

    def __init__(
        self, grid: Grid, options: Options, measure: Measure | None, directory: Path, config: DictConfig
    ) -> None:
        """Take up what lies in ``directory``; nothing is written.

        Raises:
            ResolveError: if another plan lies there.
        """
        looks = options.looks
        if isinstance(looks, int):
            looks = spread_looks(looks, min(_FIRST_LOOK, options.max_seeds), options.max_seeds)
        self._grid, self._options, self._measure = grid, options, measure
        self._design = Design(looks, options.alpha, options.margin)
        self.record = Record(directory, make_plan(grid, self._design, options, config))
        self._outcomes = Outcomes(len(grid.settings), looks[-1])
        self._findings: list[Finding | None] = [None] * len(grid.contrasts)
        self._batch: list[tuple[int, int]] = []
        try:
            for look in self.record.looks:
                self._outcomes.restore(grid, look["runs"], options.first_seed)
                self._findings = [Finding.from_row(row) for row in look["contrasts"]]
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ResolveError(
                f"{self.record.path}: looks that this sweeper cannot read ({type(error).__name__}: {error}); "
                "delete it to begin anew"
            ) from error

    @property
    def jobs(self) -> int:
        """The number of the next job."""
        return len(self._outcomes)

    @property
    def is_open(self) -> bool:
        """Whether there is a contrast that needs further seeds, and may get them."""
        return len(self.record.looks) < len(self._design.looks) and not all(
            finding is not None and finding.settled for finding in self._findings
        )

    def next_batch(self) -> list[list[str]]:
        """The overrides of the jobs up to the next look: both sides of each open contrast, in all their contexts."""
        pairs = zip(self._grid.contrasts, self._findings, strict=True)
        open_ = [contrast for contrast, finding in pairs if finding is None or not finding.settled]
        needed = sorted(
            {setting for contrast in open_ for setting in (*contrast.settings, *contrast.reference_settings)}
        )
        seeds = range(self._design.looks[len(self.record.looks)])
        # The seed varies slowest, so that every setting has a result early.
        self._batch = [(setting, seed) for seed in seeds for setting in needed if (setting, seed) not in self._outcomes]
        return [self._grid.overrides(setting, self._options.first_seed + seed) for setting, seed in self._batch]

    def take(self, results: Sequence[JobReturn]) -> bool:
        """Take in the results of the batch, look, and write down what was found; False if no run has a value."""
        found = [outcome_of(result, self._measure) for result in results]
        if not any(outcome is Outcome.value for outcome, _, _ in found):
            return False
        for (setting, seed), result, (outcome, value, reason) in zip(self._batch, results, found, strict=True):
            self._outcomes.note(setting, seed, outcome, value)
            if reason is not None:
                display.tell_missing(" ".join(result.overrides or ()), reason)
        look, before = len(self.record.looks), self._findings
        codes = np.array([Code.open if finding is None else finding.code for finding in before])
        differences = by_seed_differences(self._outcomes.values, [contrast.pair for contrast in self._grid.contrasts])
        findings = find(
            self._grid.contrasts,
            before,
            judge(differences, codes, look, self._design),
            self._outcomes,
            self._options,
            last=look + 1 == len(self._design.looks),
        )
        self._findings = list(findings)
        self.record.add(
            {
                "look": look + 1,
                "seeds": self._design.looks[look],
                "runs_so_far": len(self._outcomes),
                "contrasts": [finding.row() for finding in findings],
                "runs": self._outcomes.rows(self._grid, self._batch, self._options.first_seed),
            }
        )
        display.tell_look(look, findings, before, self._design, len(self._outcomes), self._most)
        return True

    def announce(self) -> None:
        """Say what is planned, and how far it has come."""
        display.announce(self._grid, self._design, self._options, self.record.path)
        if self.record.looks:
            display.tell_resumed(
                len(self.record.looks),
                self._known_findings(),
                self._design,
                len(self._outcomes),
                self._most,
                is_open=self.is_open,
            )

    def tell_answer(self) -> None:
        """Say what was found."""
        display.tell_answer(
            self._grid,
            self._known_findings(),
            self._options,
            self.record.path,
            runs=len(self._outcomes),
            most=self._most,
        )

    @property
    def _most(self) -> int:
        return len(self._grid.settings) * self._design.looks[-1]

    def _known_findings(self) -> list[Finding]:
        return [finding for finding in self._findings if finding is not None]
