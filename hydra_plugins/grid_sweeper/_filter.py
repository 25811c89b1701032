"""The expression that combinations must satisfy: Python's syntax, of which only what is listed here has a meaning.

Nothing is executed: there are no calls, no attributes of objects (a dotted name is a key), no powers, no arithmetic
of texts, so that an expression takes no more time and memory than its length.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from hydra_plugins.grid_sweeper._key_names import dotted

_DEEPEST = 50

_COMPARISONS: Mapping[type[ast.cmpop], tuple[str, Callable[[Any, Any], bool]]] = {
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Is: ("is", operator.eq),
    ast.IsNot: ("is not", operator.ne),
    ast.In: ("in", lambda one, other: one in other),
    ast.NotIn: ("not in", lambda one, other: one not in other),
}
_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_SIGNS: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos}
_WORDS = {"true": True, "false": False, "null": None}
"""As Hydra and YAML write them, beside Python's own."""


class FilterError(ValueError):
    """An expression that has no meaning, or none for the values that its keys have."""


class Filter:
    """An expression that has been read."""

    def __init__(self, text: str) -> None:
        """Read it.

        Raises:
            FilterError: if it is none, or asks for more than there is.
        """
        self.text = " ".join(text.split())
        try:
            self._tree = ast.parse(self.text, mode="eval").body
        except SyntaxError as error:
            place = f" at {self.text[max(0, (error.offset or 1) - 1) :][:20]!r}" if error.offset else ""
            raise FilterError(f"{error.msg}{place}") from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise FilterError(f"cannot be read: {error}") from None
        names: dict[str, None] = {}
        _check(self._tree, names, 0)
        _check_truth(self._tree)
        self.names = tuple(names)
        """The keys in it, in the order in which they stand there."""

    def __str__(self) -> str:
        """The expression."""
        return self.text

    def passes(self, value: Callable[[str], Any]) -> bool:
        """Whether it is true.

        Args:
            value: from a key in :attr:`names` to its value.

        Raises:
            FilterError: if it is neither true nor false, or values cannot be compared.
        """
        return _truth(self._tree, value)


def _check(node: ast.expr, names: dict[str, None], depth: int) -> None:
    """Refuse what has no meaning here, and note the keys."""
    if depth > _DEEPEST:
        raise FilterError("nested too deeply")
    if _is_key(node):
        names[_key_of(node)] = None
        return
    inner = _parts(node)
    if inner is None:
        raise FilterError(
            f"{ast.unparse(node)}: only keys, numbers, texts, comparisons, in, and, or, not and + - * / // %"
        )
    for each in inner:
        _check(each, names, depth + 1)


def _is_key(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute | ast.Subscript) or (isinstance(node, ast.Name) and node.id not in _WORDS)


def _key_of(node: ast.expr) -> str:
    name = dotted(node)
    if name is None:
        raise FilterError(f"{ast.unparse(node)}: not a dotted key")
    return name


def _parts(node: ast.expr) -> list[ast.expr] | None:
    """What a part of an expression consists of; None of one that has no meaning here."""
    match node:
        case ast.Constant(value=None | bool() | int() | float() | str()) | ast.Name():
            return []
        case ast.BoolOp(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return parts
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.UAdd(), operand=operand):
            return [operand]
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in _ARITHMETIC:
            return [left, right]
        case ast.Compare(left=left, comparators=others):
            return [left, *others]
    return None


def _check_truth(node: ast.expr) -> None:
    """Refuse ``model == 'lstm' or 'gru'``, which Python takes and which is always true."""
    match node:
        case ast.BoolOp(values=values):
            for each in values:
                _check_truth(each)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            _check_truth(operand)
        case ast.Compare(left=left, comparators=comparators):
            for each in (left, *comparators):
                if isinstance(each, ast.BoolOp | ast.Compare):
                    _check_truth(each)
        case ast.Constant(value=bool()) | ast.Name() | ast.Attribute() | ast.Subscript():
            return
        case _:
            raise FilterError(f"{ast.unparse(node)}: neither true nor false by itself; compare it with something")


def _truth(node: ast.expr, value: Callable[[str], Any]) -> bool:
    found = _evaluated(node, value)
    if not isinstance(found, bool):
        raise FilterError(f"{ast.unparse(node)} is {found!r}, and neither true nor false; compare it with something")
    return found


def _evaluated(node: ast.expr, value: Callable[[str], Any]) -> Any:
    return value(_key_of(node)) if _is_key(node) else _EVALUATE[type(node)](node, value)


def _junction(node: ast.BoolOp, value: Callable[[str], Any]) -> bool:
    decide = all if isinstance(node.op, ast.And) else any
    return decide(_truth(each, value) for each in node.values)


def _signed(node: ast.UnaryOp, value: Callable[[str], Any]) -> Any:
    if isinstance(node.op, ast.Not):
        return not _truth(node.operand, value)
    return _SIGNS[type(node.op)](_number(node.operand, value))


def _calculated(node: ast.BinOp, value: Callable[[str], Any]) -> Any:
    try:
        return _ARITHMETIC[type(node.op)](_number(node.left, value), _number(node.right, value))
    except ArithmeticError as error:
        raise FilterError(f"{ast.unparse(node)}: {error}") from None


def _listed(node: Any, value: Callable[[str], Any]) -> list[Any]:
    return [_evaluated(each, value) for each in node.elts]


def _number(node: ast.expr, value: Callable[[str], Any]) -> Any:
    found = _evaluated(node, value)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise FilterError(f"{ast.unparse(node)} is {found!r}, and not a number")
    return found


def _compared(node: ast.Compare, value: Callable[[str], Any]) -> bool:
    left = _evaluated(node.left, value)
    for operation, each in zip(node.ops, node.comparators, strict=True):
        right = _evaluated(each, value)
        sign, compare = _COMPARISONS[type(operation)]
        try:
            if not compare(left, right):
                return False
        except TypeError:
            raise FilterError(f"{left!r} {sign} {right!r}: such values cannot be compared so") from None
        left = right
    return True


_EVALUATE: Mapping[type[ast.expr], Callable[[Any, Callable[[str], Any]], Any]] = {
    ast.Constant: lambda node, _: node.value,
    ast.Name: lambda node, _: _WORDS[node.id],
    ast.BoolOp: _junction,
    ast.UnaryOp: _signed,
    ast.BinOp: _calculated,
    ast.Compare: _compared,
    ast.List: _listed,
    ast.Tuple: _listed,
    ast.Set: _listed,
}
