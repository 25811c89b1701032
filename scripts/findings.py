"""Write docs/findings.md and docs/literature.md from the runs that are kept in outputs/reference.

  python scripts/findings.py            write both pages
  python scripts/findings.py --check    only say whether they are what the runs say; exit code 1 if not

The sentences of a page are those of its template in scripts/pages; its numbers are computed here, by what
`rnn-mnist compare` computes.
"""

import argparse
import os
import re
import sys
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from kept_study import Study

from rnn_mnist.analysis.plots.figure_kind import Request

ROOT = Path(__file__).resolve().parent.parent
KEPT = Path("outputs/reference")  # as seen from the root: so its tables name their runs, wherever the checkout lies
PAGES = ("findings", "literature")


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    os.chdir(ROOT)
    if not check and (reference := Study(KEPT / "reference")).is_kept:
        effect = Request("effect", factor="model.num_layers", hue="model.cell", facet="model.bidirectional")
        reference.draw_chosen("optimizer.lr", "model.parameter_budget", effect)
    stale = 0
    for name in PAGES:
        path, text = Path("docs") / f"{name}.md", page(name)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if not check:
            path.write_text(text, encoding="utf-8")
        print(f"{path}: {'is not what the runs say; python scripts/findings.py' if check else 'written'}")
    return int(check and stale > 0)


def page(name: str) -> str:
    """A page, of the studies that are kept."""
    environment = Environment(
        loader=FileSystemLoader("scripts/pages"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    study = cache(lambda name: Study(KEPT / name))
    studies = [one for path in sorted(KEPT.iterdir()) if (one := study(path.name)).is_kept]
    text = environment.get_template(f"{name}.md.j2").render(study=study, studies=studies)
    return re.sub(r"\n{3,}", "\n\n", text)


if __name__ == "__main__":
    sys.exit(main())
