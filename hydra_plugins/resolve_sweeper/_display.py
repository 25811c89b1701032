"""What people see of a sweep: its plan, a line a look, and the answer at the end."""

import logging
import re
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from hydra_plugins.resolve_sweeper._decision import Design
from hydra_plugins.resolve_sweeper._grid import Contrast, Grid
from hydra_plugins.resolve_sweeper._options import Options
from hydra_plugins.resolve_sweeper._verdicts import Finding, Verdict, sentence
from hydra_plugins.workstation_launcher import console

log = logging.getLogger("hydra_plugins.resolve_sweeper")

_MOST_NAMES = 6
_UNBROKEN = "\u00a0"


def announce(grid: Grid, design: Design, options: Options, path: Path) -> None:
    """Say what is planned."""
    most = len(grid.settings) * design.looks[-1]
    pairs = []
    for factor in grid.factors:
        key = factor.key.lstrip("+")
        if others := [contrast.level for contrast in grid.contrasts if contrast.factor == key]:
            pairs.append(f"{key}={', '.join(others)} against {factor.levels[factor.reference]}")
    count = len(grid.contrasts)
    margin = "none" if design.margin is None else f"±{design.margin:g} {options.unit}".rstrip()
    say(f"resolve: {count} comparison{'s' if count > 1 else ''}: {'; '.join(pairs)}")
    say(
        f"looks at {', '.join(map(str, design.looks))} seeds, at most {most} runs; alpha {design.alpha:g}, "
        f"margin {margin}; plan: {path}"
    )
    if options.filter is not None:
        whole = len(grid.settings) + len(grid.left_out)
        say(f"{len(grid.left_out)} of {whole} settings are dropped by hydra.sweeper.filter={options.filter}")
    if grid.listed_seeds is not None:
        last = options.first_seed + design.looks[-1] - 1
        say(
            f"{grid.seed_key.lstrip('+')}={grid.listed_seeds} of the grid does not count: the looks choose among "
            f"{options.first_seed} to {last}"
        )


def tell_look(
    look: int, findings: Sequence[Finding], before: Sequence[Finding | None], design: Design, runs: int, most: int
) -> None:
    """Say in a line what a look has settled, and what is open."""
    new = [found for found, earlier in zip(findings, before, strict=True) if found.settled and not _settled(earlier)]
    groups = {
        "settled": [f"{_name(found)} {found.verdict}" for found in new if found.verdict is not Verdict.undecided],
        "undecided": [_name(found) for found in new if found.verdict is Verdict.undecided],
        "open": [_name(found) for found in findings if not found.settled],
    }
    parts = [f"{word}: {_names(names)}" for word, names in groups.items() if names]
    say(f"look {look + 1} of {len(design.looks)}, {design.looks[look]} seeds: {'; '.join(parts)}; {_runs(runs, most)}")


def tell_missing(label: str, reason: str) -> None:
    """Say that a run has no result."""
    log.warning("warning: no result: %s: %s", label, reason)


def tell_resumed(
    look: int, findings: Sequence[Finding], design: Design, runs: int, most: int, *, is_open: bool
) -> None:
    """Say where a sweep is taken up again, or that it has ended."""
    settled = sum(found.settled for found in findings)
    how = "carrying on after" if is_open else "nothing is left to run after"
    say(f"{how} look {look} of {len(design.looks)}: {settled} of {len(findings)} settled; {_runs(runs, most)}")


def tell_answer(grid: Grid, findings: Sequence[Finding], options: Options, path: Path, *, runs: int, most: int) -> None:
    """Say a sentence a contrast, and what it took."""
    contexts = {
        factor.key.lstrip("+"): [other.key.lstrip("+") for other in grid.factors if other is not factor]
        for factor in grid.factors
    }
    for found in findings:
        others = contexts[found.factor]
        mean = f" (mean over {', '.join(others)})" if others else ""
        say(f"{sentence(found, options)}{mean}", indent="    ")
    saved = round(100 * (1 - runs / most))
    undecided = [found for found in findings if found.verdict is Verdict.undecided]
    fewer = f", {saved} % fewer than {most} at {most // len(grid.settings)} seeds each" if runs < most else ""
    more = f"; {len(undecided)} undecided at max_seeds={options.max_seeds}" if undecided else ""
    say(f"{runs} runs{fewer}{more}; plan and looks: {path}")


def _settled(finding: Finding | None) -> bool:
    return finding is not None and finding.settled


def _name(finding: Finding | Contrast) -> str:
    return f"{finding.factor}={finding.level}"


def _names(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - _MOST_NAMES
    return ", ".join(every[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _runs(runs: int, most: int) -> str:
    return f"{runs} of at most {most} runs"


def say(line: str, indent: str = "  ") -> None:
    """Log a line: folded on a terminal, though not within an interval; whole in a file or a pipe."""
    there = console()
    if there.is_terminal:
        unbroken = re.sub(r"\[.*?\]", lambda interval: interval[0].replace(" ", _UNBROKEN), line)
        folded = textwrap.fill(
            unbroken, there.width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
        line = folded.replace(_UNBROKEN, " ")
    log.info("%s", line)
