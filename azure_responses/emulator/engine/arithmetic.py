"""Sums a prompt asks for: evaluated over fractions, so results are exact."""

import ast
import operator
import re
from collections.abc import Callable
from fractions import Fraction

__all__ = ["find_sum", "solve"]

_WORDS = (
    (re.compile(r"\bmultiplied by\b|\btimes\b|[×x](?=\s*\d)"), "*"),
    (re.compile(r"\bdivided by\b|\bover\b|÷"), "/"),
    (re.compile(r"\bplus\b"), "+"),
    (re.compile(r"\bminus\b|−"), "-"),
    (re.compile(r"\bto the power of\b|\^"), "**"),
    (re.compile(r"\bmodulo\b|\bmod\b"), "%"),
)
# Nothing repeats without a limit beside what it may also match: no text makes the search slow.
_NUMBER = r"-?\d{1,100}(?:\.\d{1,100})?(?!\d)"
_TERM = rf"\({{0,50}} ?{_NUMBER} ?\){{0,50}}"
_SUM = re.compile(rf"(?<![\d(]){_TERM}(?: ?(?:\*\*|[-+*/%]) ?{_TERM})+")
_BINARY = re.compile(r"(?<=[\d)])\s*(\*\*|[-+*/%])\s*")
_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}
_LARGEST_POWER, _LARGEST_BASE, _LONGEST = 64, 10**6, 200


def find_sum(text: str) -> tuple[str, str] | None:
    """The first sum in the text and its result, both as text; None where there is none."""
    lowered = " ".join(text.lower().split())
    for pattern, symbol in _WORDS:
        lowered = pattern.sub(symbol, lowered)
    found = _SUM.search(lowered)
    if not found or not any(sign in found[0] for sign in "+*/%- "):
        return None
    written = _BINARY.sub(r" \1 ", found[0].strip())
    result = solve(found[0])
    if result is None or _is_date(found[0]):
        return None
    return written, result


def _is_date(text: str) -> bool:
    return bool(re.fullmatch(r"\s*\d{4}-\d{2}-\d{2}\s*|\s*\d{1,2}/\d{1,2}/\d{2,4}\s*", text))


def solve(expression: str) -> str | None:
    """The value of an expression of numbers; None where it has none or is too large."""
    if len(expression) > _LONGEST:
        return None
    try:
        # Leading zeros are no Python, but they are numbers to whoever wrote them.
        cleaned = re.sub(r"\b0+(?=\d)", "", expression)
        return _write(_evaluate(ast.parse(cleaned.strip(), mode="eval").body))
    except (SyntaxError, ValueError, ArithmeticError):
        return None


def _write(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.10g}"


def _evaluate(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Fraction(str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluate(node.operand)
    if not isinstance(node, ast.BinOp):
        raise ValueError("not a sum")
    left, right = _evaluate(node.left), _evaluate(node.right)
    if isinstance(node.op, ast.Pow):
        return _raise(left, right)
    if type(node.op) not in _OPERATORS:
        raise ValueError("not a sum")
    return _OPERATORS[type(node.op)](left, right)


def _raise(base: Fraction, power: Fraction) -> Fraction:
    if power.denominator != 1 or abs(power) > _LARGEST_POWER or abs(base) > _LARGEST_BASE:
        raise ValueError("too large")
    return Fraction(base ** int(power))
