"""Write one self-contained HTML file about one or several sweeps, for a colleague to open; PyTorch is not needed.

python scripts/report.py outputs/depth                              writes outputs/depth/report.html
python scripts/report.py outputs/depth outputs/cell --out all.html  several sweeps as one

It holds the question and the command, the tables of settings and effects, all figures, interactive views, the runs that
failed, and what the runs were made with. It works offline and fetches nothing.
"""

import argparse
import sys
from pathlib import Path

from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.analysis.report.render import write_report
from rnn_mnist.errors import ExpectedError


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "sweeps", nargs="+", type=Path, metavar="SWEEP", help="directory of a sweep, or of a single run"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to (default: report.html in the first sweep)")
    arguments = parser.parse_args()
    path = arguments.out or arguments.sweeps[0] / "report.html"
    try:
        write_report(load_runs(*arguments.sweeps), path)
    except (ExpectedError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
