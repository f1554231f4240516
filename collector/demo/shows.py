"""What shows a fault: a PromQL query, and what its value is while the fault lasts."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Show:
    """`query` has exactly one value, which stands in the relation `compare` to `value`.

    It may take `confirmed` seconds longer than a first result until it does, and `recovered` until it no longer does.
    """

    query: str
    compare: str
    value: float
    confirmed: float = 0.0
    recovered: float = 0.0

    @property
    def expression(self) -> str:
        """The whole as PromQL: it selects something exactly while the fault shows."""
        return f"{self.query} {self.compare} {self.value:g}"

    def holds(self, measured: float) -> bool:
        """Whether a value of the query shows the fault."""
        return _COMPARE[self.compare](measured, self.value)

    def described(self) -> dict[str, Any]:
        """For --list-faults."""
        return {
            "query": self.query,
            "compare": self.compare,
            "value": self.value,
            "expression": self.expression,
            "confirmed_seconds": self.confirmed,
            "recovered_seconds": self.recovered,
        }


def series(name: str, **labels: str) -> str:
    """A selector of one series."""
    inner = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())
    return f"{name}{{{inner}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def failing(target: str, reason: str) -> tuple[Show, ...]:
    """The target's probe fails for this reason."""
    return (
        Show(series("probe_success", target=target), "==", 0),
        Show(series("hatang_target_failure_info", target=target, reason=reason), "==", 1),
    )


def link_down(target: str, interface: str) -> tuple[Show, ...]:
    """An interface of a device is down."""
    return tuple(
        Show(series("ifOperStatus", target=target, ifName=interface, ifOperStatus=state), "==", value)
        for state, value in (("down", 1), ("up", 0))
    )
