"""Entry point: what is inside a configured model, shape by shape.

python -m rnn_mnist.explain model=gru model.bidirectional=true
python -m rnn_mnist.explain --format html > model.html

Nothing that takes time to import is imported here, so that Ctrl-C is met from the start.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rnn_mnist import shell


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with 0, 1, 2 or 130."""
    sys.exit(shell.run(lambda: _explain(arguments)))


def _explain(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_intermixed_args(arguments)

    from rnn_mnist.configuration.compose import compose_checked

    checked = compose_checked(options.overrides, options.config_dir)  # a mistake need not wait for PyTorch

    from rnn_mnist.explain.page import as_html
    from rnn_mnist.explain.presentation import as_markdown, print_sections
    from rnn_mnist.explain.tensors import explain
    from rnn_mnist.tables import Output

    explanation = explain(checked.config)
    if options.format == "markdown":
        print(as_markdown(explanation), end="")
    elif options.format == "html":
        print(as_html(explanation), end="")
    else:
        print_sections(explanation, Output())
    for warning in checked.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rnn_mnist.explain",
        description="Explain a configured model: every tensor's shape, a drawing, the cell's equations, every weight, "
        "the order of the states, what each parameter does. Shapes are PyTorch's own, from its meta device, which "
        "works them out without numbers: nothing is trained or read.",
        epilog="Overrides are those of python -m rnn_mnist.train, such as model=gru model.bidirectional=true.",
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="what differs from the default configuration")
    parser.add_argument(
        "--config-dir", "-cd", type=Path, metavar="DIR", help="a folder with studies of your own, DIR/experiment/*.yaml"
    )
    parser.add_argument("--format", choices=("text", "markdown", "html"), default="text", help="default: text")
    return parser


if __name__ == "__main__":
    shell.leave(main)
