"""What keys are called: as they are overridden, and as they stand in an expression."""

import ast


def bare(key: str) -> str:
    """A key without what it is overridden with: ``x`` of ``+x``, ``++x`` and ``~x``."""
    return key.lstrip("+~")


def dotted(node: ast.expr) -> str | None:
    """The key that an expression names: ``layers[0].size`` as OmegaConf writes it; None if it names none."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=inner, attr=name):
            above = dotted(inner)
            return None if above is None else f"{above}.{name}"
        case ast.Subscript(value=inner, slice=ast.Constant(value=int() | str() as place)):
            above = dotted(inner)
            return None if above is None or isinstance(place, bool) else f"{above}.{place}"
    return None
