"""Write one self-contained HTML file about one or several sweeps, for a colleague to open; PyTorch is not needed.

rnn-mnist report outputs/depth                              writes outputs/depth/report.html
rnn-mnist report outputs/depth outputs/cell --out all.html  several sweeps as one

It holds the question and the command, the tables of settings and effects, all figures, interactive views, the runs that
failed, and what the runs were made with. It works offline and fetches nothing.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.report.render import write_report


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="rnn-mnist report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "sweeps", nargs="+", type=Path, metavar="SWEEP", help="directory of a sweep, or of a single run"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to (default: report.html in the first sweep)")
    options = parser.parse_args(arguments)
    path = options.out or options.sweeps[0] / "report.html"
    write_report(load_runs(*options.sweeps), path)
    print(path)
