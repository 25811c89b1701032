"""A kept study, and what is quoted of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnn_mnist.analysis.plots.figure_kind import Request, Sweep
from rnn_mnist.analysis.plots.figures import draw
from rnn_mnist.analysis.reading.columns import rows_of
from rnn_mnist.analysis.reading.factors import find_factors
from rnn_mnist.analysis.reading.levels import format_level, format_levels, short_name
from rnn_mnist.analysis.reading.results import completed, load_runs
from rnn_mnist.analysis.report.tables import importance_table, settings_paper_table
from rnn_mnist.analysis.statistics.answer import answer, regress_if_sampled
from rnn_mnist.analysis.statistics.by_seed import Contrast, Sample
from rnn_mnist.analysis.statistics.effects import effects
from rnn_mnist.analysis.statistics.importance import importance
from rnn_mnist.analysis.statistics.nuisance import NuisanceChoice, choose_nuisance
from rnn_mnist.analysis.statistics.simultaneous import judge
from rnn_mnist.analysis.statistics.summary import group_by_levels, interval
from rnn_mnist.analysis.statistics.verdict import Verdict


@dataclass(frozen=True)
class Study:
    """The runs of one study; ``folder`` is that of the sweep."""

    folder: Path

    @property
    def name(self) -> str:
        """The experiment's."""
        return self.folder.name

    @property
    def is_kept(self) -> bool:
        """Whether there are runs of it."""
        return (self.folder / "sweep.json").is_file()

    @cached_property
    def runs(self) -> pd.DataFrame:
        """All of them, as ``load_runs`` has them."""
        return load_runs(self.folder).frame

    def answer(self, factors: Sequence[str] = (), nuisance: str | None = None, by: str | None = None) -> str:
        """The sentences that ``rnn-mnist compare`` ends with, as a Markdown list."""
        runs = self.runs if nuisance is None else self._choice(nuisance).runs
        table = effects(runs, list(factors) or None, by=by)
        sentences = answer(runs, table, regress_if_sampled(runs, "test_accuracy")).sentences
        return "\n".join(f"- {sentence}" for sentence in sentences)

    def no_effect(self, factor: str, nuisance: str | None = None) -> str:
        """Whether it is confirmed that a factor of two levels has no effect: confirmed, not confirmed, not resolved.

        With the difference in points of test accuracy and its 95 % interval, where the effect depends on another factor
        at each of its levels; a nuisance factor is as it validates best.
        """
        runs = self.runs if nuisance is None else self._choice(nuisance).runs
        return "; ".join(_no_effect(row) for row in rows_of(effects(runs, [factor])))

    def figures(self, pattern: str) -> list[str]:
        """The places of figures of it, as seen from a page in docs; none if they are not kept."""
        paths = sorted(self.folder.glob(f"figures/{pattern}.png"))
        return [f"../outputs/{self.folder.parent.name}/{self.name}/figures/{path.name}" for path in paths]

    def draw_chosen(self, nuisance: str, split: str, request: Request) -> None:
        """Draw an effect at each level of ``split``, with the levels of the nuisance factor that validation chose."""
        runs = self._choice(nuisance).runs
        for level, group in runs.groupby(runs[split].map(format_level)):
            drawn = draw(Sweep(group), request)
            (self.folder / "figures" / f"chosen-{short_name(split)}={level}.png").write_bytes(drawn.rendered("png"))

    def settings(self, nuisance: str | None = None) -> str:
        """A row a setting, as a Markdown table."""
        runs = self.runs if nuisance is None else self._choice(nuisance).runs
        return settings_paper_table(runs, find_factors(runs)).markdown().strip()

    def steps(self, names: Sequence[str]) -> str:
        """A row a setting, in the order of the sweep's jobs, and what it gains on the row before, as a Markdown table.

        The intervals of the accuracies are each of 95 % (t), those of the gains of 95 % together (Welch, Šidák).
        """
        runs = completed(self.runs).set_index("run_id")
        jobs = json.loads((self.folder / "sweep.json").read_text(encoding="utf-8"))["jobs"]
        settings = dict.fromkeys(runs.loc[run_id, "setting_id"] for run_id in jobs)
        samples = [
            Sample(100 * runs.loc[runs["setting_id"] == one, "test_accuracy"].to_numpy(float)) for one in settings
        ]
        gains = [Contrast(later, earlier) for earlier, later in pairwise(samples)]
        family = judge(np.array([gain.t for gain in gains]), np.array([gain.degrees_of_freedom for gain in gains]))
        reaches = [critical * gain.variance**0.5 for critical, gain in zip(family.critical, gains, strict=True)]
        of_gains = [
            f"{gain.estimate:+.2f} ({gain.estimate - reach:+.2f} to {gain.estimate + reach:+.2f})"
            for gain, reach in zip(gains, reaches, strict=True)
        ]
        rows = [
            f"| {name} | {sample.mean:.2f} ({low:.2f} to {high:.2f}) | {gain} |"
            for name, sample, gain in zip(names, samples, ["", *of_gains], strict=True)
            for low, high in [interval(sample.values)]
        ]
        head = ["| step | test accuracy, % | gain, points |", "| --- | --- | --- |"]
        return "\n".join(head + rows)

    def importance(self) -> str:
        """The share of the variance of each factor, as a Markdown table."""
        return importance_table(importance(self.runs)).markdown().strip()

    def chosen(self, nuisance: str) -> str:
        """How often validation has chosen each level of a nuisance factor."""
        counts = self._choice(nuisance).chosen[nuisance].map(format_level).value_counts()
        return f"{', '.join(f'{level} in {count}' for level, count in counts.items())} of {counts.sum()} settings"

    def _choice(self, nuisance: str) -> NuisanceChoice:
        return choose_nuisance(self.runs, [nuisance])

    @cached_property
    def core_hours(self) -> float:
        """What the runs took, each on one thread."""
        return float(self.runs["train_seconds"].sum()) / 3600

    @cached_property
    def made_on(self) -> str:
        """The versions and the system of its runs, which are the same for all."""
        kinds = set()
        for path in self.folder.glob("*/manifest.json"):
            manifest = json.loads(path.read_text(encoding="utf-8"))
            versions = manifest["versions"]
            kinds.add(
                f"Python {manifest['python']}, PyTorch {versions['torch']}, NumPy {versions['numpy']}, "
                f"{manifest['device']}, {manifest['threads']} thread"
            )
        return "; ".join(sorted(kinds))

    def accuracy(self, nuisance: str | None = None, **levels: str) -> str:
        """Mean test accuracy of one setting with its 95 % interval (t), in percent, and the number of its seeds.

        Args:
            nuisance: a factor of which the level is taken that validates best.
            levels: of factors, by the last part of their key.

        Raises:
            LookupError: if there is no such setting, or several.
        """
        runs = completed(self.runs if nuisance is None else self._choice(nuisance).runs)
        factors = find_factors(runs)
        for name, level in levels.items():
            key = next(factor for factor in factors if factor.rpartition(".")[2] == name)
            runs = runs[runs[key].map(format_level) == level]
        settings = list(group_by_levels(runs, factors))
        if len(settings) != 1:
            raise LookupError(f"{self.name}: {levels} are {len(settings)} settings")
        values = 100 * settings[0][1]["test_accuracy"].to_numpy(float)
        low, high = interval(values)
        return f"{values.mean():.2f} ({low:.2f} to {high:.2f}), {len(values)} seeds"


def _no_effect(row: Mapping[str, Any]) -> str:
    verdict = row["verdict"]
    word = "confirmed" if verdict is Verdict.equivalent else "not confirmed" if verdict.resolved else "not resolved"
    difference, low, high = (100 * row[name] for name in ("difference", "low", "high"))
    levels = f"{format_level(row['level'])} against {format_level(row['reference'])}"
    at = f" at {format_levels(row['at'])}" if row["at"] else ""
    return f"{word}{at}: {levels} {difference:+.2f} points ({low:+.2f} to {high:+.2f}), {row['seeds']} seeds"
