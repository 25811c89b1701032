"""Tables as people read them: in a terminal, as Markdown, as LaTeX. Accuracies in per cent."""

import math
from dataclasses import dataclass

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table

from rnn_mnist.analysis.reading.levels import format_level, short_name
from rnn_mnist.analysis.reading.units import format_difference, format_value, is_share, unit

_LATEX = {"\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_", "$": r"\$", "{": r"\{", "}": r"\}"}
_LATEX |= {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--", "×": r"$\times$", "−": "$-$"}


@dataclass(frozen=True)
class TextTable:
    """A table of text.

    Attributes:
        columns: their headings.
        rows: each as long as ``columns``.
        left: how many columns from the left are text, aligned left; those after them are numbers.
        wordy: whether the last column is text too.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int
    wordy: bool = False

    def is_text(self, position: int) -> bool:
        """Whether a column is aligned left."""
        return position < self.left or (self.wordy and position == len(self.columns) - 1)

    def rich(self, title: str | None = None) -> Table:
        """For a terminal."""
        table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
        for position, column in enumerate(self.columns):
            text = self.is_text(position)
            table.add_column(column, justify="left" if text else "right", overflow="fold", no_wrap=not text)
        for row in self.rows:
            # As Text-free strings with markup off: a bracket in a level is a bracket.
            table.add_row(*(cell.replace("[", r"\[") for cell in row))
        return table

    def markdown(self) -> str:
        """A GitHub table, newline at the end."""
        rule = [":---" if self.is_text(position) else "---:" for position in range(len(self.columns))]
        lines = [self.columns, tuple(rule), *self.rows]
        return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |\n" for line in lines)

    def latex(self) -> str:
        """A ``tabular`` with the rules of the ``booktabs`` package, newline at the end."""
        alignment = "".join("l" if self.is_text(position) else "r" for position in range(len(self.columns)))
        lines = [" & ".join(_for_latex(cell) for cell in line) + r" \\" for line in (self.columns, *self.rows)]
        body = [rf"\begin{{tabular}}{{{alignment}}}", r"\toprule", lines[0], r"\midrule", *lines[1:]]
        return "\n".join([*body, r"\bottomrule", r"\end{tabular}"]) + "\n"


def summary_text(summary: pd.DataFrame) -> TextTable:
    """A table of :func:`rnn_mnist.analysis.statistics.summary.summarize` or ``summary_table``, one row a setting."""
    metric = summary.attrs.get("metric", "test_accuracy")
    level = f"{100 * summary.attrs.get('confidence', 0.95):g} %"
    factors = list(summary.columns[: list(summary.columns).index("n")])
    sign = f" {unit(metric)}" if unit(metric) else ""
    rows = []
    for row in summary.to_dict("records"):
        cells = [format_level(row[factor]) for factor in factors]
        cells += [str(row["n"]), str(row["failed"]), format_value(metric, row["mean"])]
        cells += [format_value(metric, row["standard_deviation"]), _interval(metric, row["low"], row["high"])]
        if "parameters" in summary:
            cells += ["–" if math.isnan(row["parameters"]) else f"{row['parameters']:,.0f}"]
            cells += ["–" if math.isnan(row["train_seconds"]) else f"{row['train_seconds']:.1f}"]
        rows.append(tuple(cells))
    columns = [*(short_name(factor, factors) for factor in factors), "runs", "failed", f"{metric}{sign}", "sd"]
    columns += [f"{level} interval", *(("parameters", "seconds") if "parameters" in summary else ())]
    return TextTable(tuple(columns), tuple(rows), left=len(factors))


def effects_text(effects: pd.DataFrame) -> TextTable:
    """A table of :func:`rnn_mnist.analysis.statistics.effects.effects`."""
    metric, confidence = effects.attrs["metric"], effects.attrs["confidence"]
    names = list(dict.fromkeys(effects["factor"]))
    contexts, paired = bool((effects["context"] != "").any()), bool((effects["test"] == "paired").any())
    rows = []
    for row in effects.to_dict("records"):
        name = short_name(row["factor"], names)
        runs = f"{row['n']}" if row["n"] == row["n_reference"] else f"{row['n']}, {row['n_reference']}"
        failed = row["failed"] + row["failed_reference"]
        cells = [f"{name}={format_level(row['level'])}", format_level(row["reference"])]
        cells += [_short_context(row["context"])] if contexts else []
        cells += [f"{runs} ({failed} failed)" if failed else runs, format_value(metric, row["mean"])]
        cells += [format_difference(metric, row["difference"])]
        cells += [_interval(metric, row["low"], row["high"], difference=True), p_value_text(row["p_holm"])]
        cells += [_number(row["correlation"], "+.2f") if row["test"] == "paired" else ""] if paired else []
        cells += [_number(row["probability_of_improvement"], ".2f"), format_value(metric, row["minimum_detectable"])]
        rows.append((*cells, row["verdict"]))
    columns = ["level", "against", *(["at"] if contexts else []), "runs", f"mean{' %' if is_share(metric) else ''}"]
    columns += ["difference", f"{100 * confidence:g} % interval", "p (Holm)", *(["r of pairs"] if paired else [])]
    columns += ["P(better)", "detectable", "verdict"]
    return TextTable(tuple(columns), tuple(rows), left=3 if contexts else 2, wordy=True)


def power_text(power: pd.DataFrame, metric: str) -> TextTable:
    """A table of :func:`rnn_mnist.analysis.statistics.power.power_table`."""
    differences = [column for column in power.columns if not isinstance(column, str)]
    rows = []
    for row in power.to_dict("records"):
        name = f"{short_name(row['factor'])}={format_level(row['level'])}"
        cells = [name, format_level(row["reference"]), _short_context(row["context"]), row["test"], str(row["n"])]
        cells += [format_value(metric, row["standard_deviation"]), format_value(metric, row["minimum_detectable"])]
        rows.append((*cells, *(f"{row[difference]:,}" for difference in differences)))
    headings = [format_value(metric, difference) for difference in differences]
    columns = (
        "level",
        "against",
        "at",
        "test",
        "runs",
        "noise (sd)",
        "detectable",
        *(f"for {text}" for text in headings),
    )
    return TextTable(columns, tuple(rows), left=4)


def importance_text(importance: pd.DataFrame) -> TextTable:
    """A table of :func:`rnn_mnist.analysis.statistics.importance.importance`."""
    rows = tuple(
        (row["term"], _number(100 * row["share"], ".1f"), _number(100 * row["by_chance"], ".1f"), row["ranges"])
        for row in importance.to_dict("records")
    )
    return TextTable(("term", "share %", "by chance %", "over"), rows, left=1, wordy=True)


def p_value_text(p_value: float) -> str:
    """``0.03``, ``<0.001``, or an en dash."""
    if math.isnan(p_value):
        return "–"
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}" if p_value < 0.1 else f"{p_value:.2f}"


def _interval(metric: str, low: float, high: float, *, difference: bool = False) -> str:
    if math.isnan(low):
        return "–"
    show = format_difference if difference else format_value
    return f"{show(metric, low)} to {show(metric, high)}"


def _number(value: float, form: str) -> str:
    return "–" if math.isnan(value) else format(value, form)


def _short_context(context: str) -> str:
    parts = [part.partition("=") for part in context.split(", ")] if context else []
    return ", ".join(f"{short_name(key, [other for other, _, _ in parts])}={value}" for key, _, value in parts)


def _for_latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
