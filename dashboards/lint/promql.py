"""What an expression reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

import promql_parser
from promql_parser import Expr

# Grafana puts these in; the value is any that fits.
_MAGIC = {"$__rate_interval": "5m", "$__interval": "1m"}
# Grafana's own, which no page declares.
BUILT_IN = frozenset({"__rate_interval", "__interval", "__range", "datasource", "__url_time_range"})


@dataclass(frozen=True, slots=True)
class Use:
    """A series that is read: inside which functions, how many seconds of it, from how long ago."""

    name: str = ""
    labels: frozenset[str] = frozenset()
    inside: tuple[str, ...] = ()
    back: float = 0.0
    window: float = 0.0


def filled(expression: str) -> str:
    """With something in place of each variable."""
    for magic, value in _MAGIC.items():
        expression = expression.replace(magic, value)
    return re.sub(r"\$\{?[a-z_]\w*\}?", "x", expression)


def variables(text: str) -> set[str]:
    """Variables of Grafana in an expression or a URL."""
    found = {one or other for one, other in re.findall(r"\$(?:\{([a-z_]\w*)[^}]*\}|([a-z_]\w*))", text)}
    return {name for name in found - BUILT_IN if not name.startswith("__")}


@cache
def uses(expression: str) -> tuple[Use, ...]:
    """Every series that it reads. Raises ValueError where it is no PromQL."""
    return tuple(_uses(promql_parser.parse(filled(expression)), Use()))


def _uses(expr: Expr, within: Use) -> Iterator[Use]:
    match expr:
        case promql_parser.VectorSelector():
            labels = frozenset(one.name for one in expr.matchers.matchers)
            yield replace(within, name=expr.name or "", labels=labels, back=within.back + _seconds(expr.offset))
        case promql_parser.MatrixSelector():
            window = _seconds(expr.range)
            yield from _uses(expr.vector_selector, replace(within, window=window, back=within.back + window))
        case promql_parser.SubqueryExpr():
            window = _seconds(expr.range)
            back = within.back + window + _seconds(expr.offset)
            yield from _uses(expr.expr, replace(within, window=window, back=back))
        case promql_parser.Call():
            for argument in expr.args:
                yield from _uses(argument, replace(within, inside=(*within.inside, expr.func.name)))
        case promql_parser.BinaryExpr():
            yield from _uses(expr.lhs, within)
            yield from _uses(expr.rhs, within)
        case promql_parser.AggregateExpr() | promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            yield from _uses(expr.expr, within)


def _seconds(span: timedelta | None) -> float:
    return abs(span.total_seconds()) if span is not None else 0.0
