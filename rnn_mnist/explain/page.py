"""An explanation as one HTML page that needs nothing else."""

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rnn_mnist.explain.mathml import mathml
from rnn_mnist.explain.presentation import sections
from rnn_mnist.explain.tensors import Explanation


def as_html(explanation: Explanation) -> str:
    """The page, in ASCII: other characters are references, so that any encoding of the output keeps them."""
    environment = Environment(
        loader=PackageLoader("rnn_mnist.explain", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["mathml"] = lambda equation: Markup(mathml(equation))
    page = environment.get_template("page.html.j2").render(module=explanation.module, sections=sections(explanation))
    return page.encode("ascii", "xmlcharrefreplace").decode("ascii")
