"""The equations in MathML, which browsers set as mathematics without a script."""

import re

_TOKEN = re.compile(r"(\w)_(?:\((t-1)\)|(\w+))|(sigmoid|tanh|relu)|(\d+)|(=|\+|-|\*|\(|\))|( )")
_SIGNS = {"-": "&#8722;", "*": "&#8727;", "sigmoid": "&#963;"}


def mathml(equation: str) -> str:
    """A ``math`` element, in ASCII, of an equation in plain characters as in :mod:`rnn_mnist.explain.equations`.

    Raises:
        ValueError: if there is something in it that no equation has.
    """
    parts, place = [], 0
    while place < len(equation):
        token = _TOKEN.match(equation, place)
        if token is None:
            raise ValueError(f"{equation!r}: no equation has {equation[place:]!r}")
        place = token.end()
        symbol, before, subscript, function, number, sign, _ = token.groups()
        if symbol:
            below = "<mi>t</mi><mo>&#8722;</mo><mn>1</mn>" if before else f"<mi>{subscript}</mi>"
            parts.append(f"<msub><mi>{symbol}</mi><mrow>{below}</mrow></msub>")
            if symbol == "W":
                parts.append('<mspace width="0.15em"/>')
        elif function:
            parts.append(f"<mi>{_SIGNS.get(function, function)}</mi>")
        elif number:
            parts.append(f"<mn>{number}</mn>")
        elif sign:
            stretchy = ' stretchy="false"' if sign in "()" else ""
            parts.append(f"<mo{stretchy}>{_SIGNS.get(sign, sign)}</mo>")
    return f"<math>{''.join(parts)}</math>"
