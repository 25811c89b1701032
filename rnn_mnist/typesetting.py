"""The text of a table's cell as a paper has it: with its own minus and dash, and nothing of it taken for markup."""

import re

_APART = "\u200b"  # between two hyphens, which LaTeX would make a dash of
_LATEX = {
    **{character: f"\\{character}" for character in "&%#_${}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "…": r"\ldots{}"},
    **{"<": "$<$", ">": "$>$", "≤": r"$\leq$", "≥": r"$\geq$", "→": r"$\to$"},
    **{"−": "$-$", "±": r"$\pm$", "×": r"$\times$", "·": r"$\cdot$", "–": "--", _APART: "{}"},
}


def with_minus(text: str) -> str:
    """``-0.12`` with a minus, which is as wide as a plus; hyphens and ``1e-05`` are left alone."""
    return re.sub(r"(?<![\w.-])-(?=\d)", "−", text)


def with_minus_in_words(text: str) -> str:
    """The same among words, for numbers with decimals alone: the -1 of ``output[:, -1]`` is code."""
    return re.sub(r"(?<![\w.-])-(?=\d[\d,]*[.,]\d)", "−", text)


def with_dash(text: str) -> str:
    """``8-30`` with the dash of a range; a date is none."""
    return re.sub(r"(?<![\d.,-])(\d[\d.,]*)-(\d[\d.,]*)(?![\d-])", r"\1–\2", text)


def for_markdown(text: str) -> str:
    """What GitHub shows as ``text``."""
    # "<" begins a tag before a letter alone.
    return re.sub(r"([*_`|]|<(?=[A-Za-z/!?]))", r"\\\1", text)


def markdown_code(text: str) -> str:
    """``text`` as code; a bar would end the cell of a table even there."""
    escaped = text.replace("|", r"\|")
    return f"`{escaped}`" if text else ""


def for_latex(text: str) -> str:
    """What LaTeX shows as ``text``."""
    return "".join(_LATEX.get(character, character) for character in re.sub("-(?=-)", f"-{_APART}", text))


def latex_number(text: str) -> str:
    """The same, ``3e-05`` as a power of ten."""
    escaped = re.sub(r"(?<![\w.])(\d[\d.]*)e-0*(\d+)(?!\w)", r"$\1\\times10^{-\2}$", for_latex(text))
    return escaped.replace(r"$1\times10", "$10")


def latex_code(text: str) -> str:
    """``text`` as code, as it is typed."""
    return rf"\texttt{{{for_latex(text)}}}" if text else ""
