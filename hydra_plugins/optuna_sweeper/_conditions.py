"""Conditions between keys: when one of them is searched at all, said in an expression over the configuration."""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, other: one in other,
    ast.NotIn: lambda one, other: one not in other,
}
_CONSTANTS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True)
class Condition:
    """When a key is searched."""

    key: str
    text: str
    """As it was written."""

    def holds(self, value_of: Callable[[str], Any]) -> bool:
        """Whether it is true; ``value_of`` gives the value of a dotted key.

        Raises:
            ValueError: if its values cannot be compared; the message names it.
        """
        try:
            return bool(_value(ast.parse(self.text.strip(), mode="eval").body, value_of))
        except TypeError as error:
            raise ValueError(f"hydra.sweeper.conditions: {self.key}: {self.text}: {error}") from None


def read_conditions(value: Any) -> tuple[Condition, ...]:
    """The conditions of a mapping from keys to expressions.

    An expression compares dotted keys, numbers, quoted texts and lists of them: ``==``, ``!=``, ``<``, ``<=``, ``>``,
    ``>=``, ``in``, ``not in``, ``and``, ``or``, ``not``, parentheses.

    Raises:
        ValueError: with what is allowed.
    """
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise ValueError("a mapping of keys to expressions, such as {model.dropout: 'model.num_layers > 1'}")
    found = []
    for key, text in value.items():
        try:
            _check(ast.parse(str(text).strip(), mode="eval").body)
        except (SyntaxError, ValueError):
            raise ValueError(
                f"keys with expressions such as \"model.cell == 'lstm'\" or 'model.num_layers > 1 and not "
                f"model.bidirectional'; that of {key} is none"
            ) from None
        found.append(Condition(str(key), str(text)))
    return tuple(found)


def _check(node: ast.expr) -> None:
    """Refuse what is no such expression.

    Raises:
        ValueError: if it is none.
    """
    match node:
        case ast.Constant():
            return
        case ast.Name() | ast.Attribute():
            _dotted(node)
            return
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float())):
            return
        case ast.Compare(ops=comparisons) if not all(type(each) in _COMPARE for each in comparisons):
            raise ValueError("no such comparison")
        case ast.List() | ast.Tuple() | ast.BoolOp() | ast.Compare() | ast.UnaryOp(op=ast.Not()):
            for each in ast.iter_child_nodes(node):
                if isinstance(each, ast.expr):
                    _check(each)
        case _:
            raise ValueError("no such expression")


def _value(node: ast.expr, value_of: Callable[[str], Any]) -> Any:
    """What an expression comes to that has been checked."""

    def inner(each: ast.expr) -> Any:
        return _value(each, value_of)

    match node:
        case ast.Constant():
            return node.value
        case ast.List() | ast.Tuple():
            return [inner(each) for each in node.elts]
        case ast.UnaryOp(op=ast.Not()):
            return not inner(node.operand)
        case ast.UnaryOp(operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.BoolOp():
            return (all if isinstance(node.op, ast.And) else any)(inner(each) for each in node.values)
        case ast.Compare():
            values = [inner(each) for each in (node.left, *node.comparators)]
            pairs = zip(node.ops, values, values[1:], strict=False)
            return all(_COMPARE[type(each)](one, other) for each, one, other in pairs)
    key = _dotted(node)
    return _CONSTANTS[key] if key in _CONSTANTS else value_of(key)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    raise ValueError("no key")
