"""Small wrongs, one at a time: the mutants of a Python source.

Docstrings, messages, annotations and imports are left alone: no test should read them.
"""

import ast
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
OPERATORS |= {ast.Pow: ast.Mult, ast.MatMult: ast.Mult}
COMPARISONS = {
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.Lt],
}
for _one, _other in ((ast.Eq, ast.NotEq), (ast.Is, ast.IsNot), (ast.In, ast.NotIn)):
    COMPARISONS |= {_one: [_other], _other: [_one]}
SIBLINGS = "minimum maximum, min max, log log1p, sum mean, zeros_like ones_like"
CALLS = dict(pair.split() for pair in SIBLINGS.split(", "))
CALLS |= {other: name for name, other in CALLS.items()}
CALLS |= {"argmax": "argmin", "exp": "expm1", "floor": "ceil", "ones": "zeros"}
DROPPED = {"abs", "sign"}  # f(a) -> a
Change = tuple[ast.AST, ast.AST | None]  # what is replaced, and by what; None deletes a statement


class Mutant(NamedTuple):
    """One change of a source. `line` counts from 1; the rest stays when lines move."""

    line: int
    function: str
    before: str
    after: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a file, in the order of its lines."""
    raw = source.encode()  # ast counts columns in bytes
    starts = [0, *accumulate(len(line) for line in raw.splitlines(keepends=True))]
    seen = set()
    for function, node in _code(ast.parse(source)):
        for old, new in _changes(function, node):
            start = starts[old.lineno - 1] + old.col_offset
            end = starts[old.end_lineno - 1] + old.end_col_offset
            after = "pass" if new is None else ast.unparse(new)
            text = f"({after})" if isinstance(new, ast.expr) else after
            if (start, end, text) not in seen:
                seen.add((start, end, text))
                mutated = (raw[:start] + text.encode() + raw[end:]).decode()
                yield Mutant(old.lineno, function, ast.unparse(old), after, mutated)


def _code(node: ast.AST, function: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Each node that runs and is no message, with the name of the function that it is in."""
    if isinstance(node, ast.FunctionDef):
        function = node.name
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            layout = isinstance(child, ast.keyword) and child.arg == "inline"  # of a program
            if layout or not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr):
                continue
            yield function, child
            if not isinstance(child, ast.Raise):
                yield from _code(child, function)


def _changes(function: str, node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Raise() | ast.Expr(value=ast.Call()):
            yield node, None
        case ast.Return(value=ast.Tuple(elts=[*_, last])) if function.endswith("_jvp"):
            for one in last.elts if isinstance(last, ast.Tuple) else [last]:
                yield from _minus_and_terms(one)
        case ast.Return(value=value) if value is not None:
            yield from _terms(value)
        case ast.Call(func=ast.Attribute(attr="defjvps"), args=[ast.Lambda(body=body)]):
            yield from _minus_and_terms(body)
        case ast.Call(func=func, args=args):
            yield from _call(node, func, args)
        case ast.BinOp(left=left, op=op, right=right):
            if type(op) in OPERATORS:
                yield node, ast.BinOp(left, OPERATORS[type(op)](), right)
            if isinstance(left, ast.Compare) and isinstance(op, ast.BitAnd):
                yield node, ast.BinOp(left, ast.BitOr(), right)
        case ast.AugAssign(target=target, op=op, value=value):
            yield node, ast.AugAssign(target, OPERATORS[type(op)](), value)
        case ast.Compare(left=left, ops=ops, comparators=right):
            for at, op in enumerate(ops):
                for other in COMPARISONS[type(op)]:
                    yield node, ast.Compare(left, [*ops[:at], other(), *ops[at + 1 :]], right)
        case ast.BoolOp(op=op, values=values):
            yield node, ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand):
            yield node, operand
        case ast.If(test=test) | ast.IfExp(test=test) if not isinstance(test, ast.Compare):
            yield test, ast.UnaryOp(ast.Not(), test)
        case ast.Constant(value=bool(value)):
            yield node, ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            # A constant with digits behind the point moves in its third digit.
            yield node, ast.Constant(value + 1 if value == int(value) else value * 1.001)


def _call(node: ast.Call, func: ast.expr, args: list[ast.expr]) -> Iterator[Change]:
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", None)
    if name in DROPPED:
        yield node, args[0]
    elif name == "where":
        condition, one, other = args
        yield node, ast.Call(func, [condition, other, one], [])
        yield node, one
        yield node, other
    elif name in CALLS and isinstance(func, ast.Attribute):
        other = ast.Attribute(func.value, CALLS[name], ast.Load())
        yield node, ast.Call(other, args, node.keywords)


def _minus_and_terms(value: ast.expr) -> Iterator[Change]:
    yield value, ast.UnaryOp(ast.USub(), value)
    yield from _terms(value)


def _terms(value: ast.expr) -> Iterator[Change]:
    """A returned sum, difference, product or quotient with one side left out."""
    if isinstance(value, ast.BinOp):
        yield value, value.left
        yield value, value.right
