"""Draw the figures of one or several sweeps from their files; PyTorch is not needed.

rnn-mnist plot outputs/depth                                     all figures that suit its factors
rnn-mnist plot outputs/depth --kind effect                       one kind
rnn-mnist plot outputs/bidirectional --kind effect --factor readout --hue bidirectional
rnn-mnist plot outputs/depth --kind cost,seeds --metric val_accuracy --out figures --format pdf
rnn-mnist plot outputs/depth --kind confusion --setting num_layers=2
rnn-mnist plot outputs/depth --kind effect --format pdf --width 3.3 --title "Depth" --no-footer      for a paper
rnn-mnist plot outputs/depth outputs/cell                        several sweeps as one
"""

import argparse
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from rnn_mnist.analysis.plots.default_figures import default_figures
from rnn_mnist.analysis.plots.figure_kind import Request, Sweep
from rnn_mnist.analysis.plots.figures import DEFAULT_FORMATS, FORMATS, KINDS, draw, kinds_help, save
from rnn_mnist.analysis.plots.style import NARROWEST, WIDEST, WIDTH, Look
from rnn_mnist.analysis.reading.results import load_runs
from rnn_mnist.catalogues.metrics import run_metrics
from rnn_mnist.errors import ExpectedError
from rnn_mnist.runs.looks import looked_before


def main(arguments: Sequence[str]) -> int:
    """Run the command line; 0 if everything that was asked for was drawn."""
    options = _parser().parse_args(arguments)
    _refuse_unknown("format", options.format, FORMATS)
    _refuse_unknown("kind", options.kind, KINDS)
    look = _look(options)
    runs = load_runs(*options.sweeps)
    for problem in [*runs.problems, *runs.duplicates]:
        print(f"warning: {problem}", file=sys.stderr)
    sweep = Sweep(runs.frame, anytime=looked_before(runs.records))
    out = options.out or options.sweeps[0] / "figures"
    requests = _requests(sweep, options)
    if look.title is not None and len(requests) > 1:
        raise ExpectedError(f"--title {look.title}: {len(requests)} figures would have it; choose one with --kind")
    return int(_draw_all(sweep, requests, look, out, options.format, asked_for=bool(options.kind)))


def _look(options: argparse.Namespace) -> Look:
    """How the figures are printed.

    Raises:
        ExpectedError: if the width or the title cannot be used.
    """
    if not NARROWEST <= options.width <= WIDEST:
        raise ExpectedError(f"--width {options.width:g}: must be {NARROWEST:g} to {WIDEST:g}, in inches")
    if options.title is not None and not options.title.strip():
        raise ExpectedError("--title: must not be empty; without the option there is none")
    return Look(options.width, options.title, footer=not options.no_footer)


def _requests(sweep: Sweep, arguments: argparse.Namespace) -> list[Request]:
    """The figures asked for; a factor without a kind means its effect."""
    asked = [arguments.factor, arguments.hue, arguments.facet, arguments.setting]
    kinds = arguments.kind
    if not kinds and arguments.setting:
        kinds = ["confusion"]
    elif not kinds and (any(asked) or arguments.metric != "test_accuracy"):
        kinds = ["effect"]
    if not kinds:
        return default_figures(sweep)
    return [
        Request(kind, arguments.factor, arguments.hue, arguments.facet, arguments.metric, arguments.setting)
        for kind in kinds
    ]


def _draw_all(
    sweep: Sweep, requests: list[Request], look: Look, out: Path, formats: list[str], *, asked_for: bool
) -> bool:
    """Draw and print paths. What was not asked for by name may fail, unless nothing comes out at all."""
    drawn = 0
    reasons = []
    for request in requests:
        try:
            for path in save(draw(sweep, request, look), out, formats):
                print(path)
            drawn += 1
        except ExpectedError as error:
            named = len(requests) == 1 or str(error).startswith(f"{request.kind}: ")
            reasons.append(str(error) if named else f"{request.kind}: {error}")
    for reason in dict.fromkeys(reasons):
        print(f"{'error' if asked_for or not drawn else 'not drawn'}: {reason}", file=sys.stderr)
        if not asked_for and not drawn:
            break  # the same cause for every kind: once is enough
    return bool(reasons) if asked_for else not drawn


def _parser() -> argparse.ArgumentParser:
    description = f"{__doc__}\nkinds:\n{kinds_help()}"
    parser = argparse.ArgumentParser(
        prog="rnn-mnist plot", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "sweeps", nargs="+", type=Path, metavar="SWEEP", help="directory of a sweep, or of a single run"
    )
    parser.add_argument("--kind", type=_names, default=[], help="one or several of the kinds above, with commas")
    parser.add_argument("--factor", metavar="KEY", help="the key along the axis (model.num_layers, or num_layers)")
    parser.add_argument("--hue", metavar="KEY", help="the key that sets colours; for interaction, the vertical one")
    parser.add_argument("--facet", metavar="KEY", help="the key with a panel for each level")
    parser.add_argument("--metric", default="test_accuracy", help=f"{', '.join(run_metrics())} (default test_accuracy)")
    parser.add_argument("--setting", help="for confusion, as legends name it (default: best validation accuracy)")
    parser.add_argument(
        "--width",
        type=float,
        default=WIDTH,
        metavar="INCHES",
        help=f"of each figure (default {WIDTH:g}; a column: 3.3)",
    )
    parser.add_argument("--title", metavar="TEXT", help="above the figure, of which there must be one (default: none)")
    parser.add_argument("--no-footer", action="store_true", help="without the lines below it that say what it shows")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to (default: figures/ in the first sweep)")
    parser.add_argument(
        "--format", type=_names, default=list(DEFAULT_FORMATS), help=f"of {', '.join(FORMATS)} (default png,svg)"
    )
    return parser


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _refuse_unknown(option: str, given: list[str], known: Collection[str]) -> None:
    for name in given:
        if name not in known:
            raise ExpectedError(f"--{option} {name}: no such {option}; there are {', '.join(known)}")
