"""A cell of an answer as number, label or JSON: pure functions, no I/O.

Cells come as the drivers give them: None, bool, int, float, Decimal, str, bytes, datetime, date, time, timedelta,
and other types for what only one database has (arrays, UUIDs, addresses, ranges).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from collector import measures


def number(cell: Any, zone: tzinfo) -> float:
    """A number, also one in text; true as 1; a time as Unix seconds (`zone` when it names none), a span as seconds.

    Raises ValueError for what is no finite number.
    """
    value = _span(cell, zone)
    if value is not None:
        return value
    if isinstance(cell, Decimal):
        cell = float(cell)
    return measures.number(cell.decode("ascii") if isinstance(cell, bytes) else cell)


def _span(cell: Any, zone: tzinfo) -> float | None:
    """Seconds of a date, a time of day, a moment or an interval; None for what is none of these."""
    if isinstance(cell, timedelta):
        return cell.total_seconds()
    if isinstance(cell, time):
        return cell.hour * 3600 + cell.minute * 60 + cell.second + cell.microsecond / 1e6
    if isinstance(cell, date) and not isinstance(cell, datetime):
        cell = datetime(cell.year, cell.month, cell.day, tzinfo=zone)
    if not isinstance(cell, datetime):
        return None
    try:
        return (cell if cell.tzinfo else cell.replace(tzinfo=zone)).timestamp()
    except OverflowError:
        raise ValueError("out of range") from None


def label(cell: Any) -> str:
    """Text of a cell; empty for NULL."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell)


def plain(cell: Any, zone: tzinfo) -> Any:
    """A cell as JSON has it: null, true, a number or a text."""
    if cell is None or isinstance(cell, bool | int | str):
        return cell
    try:
        return number(cell, zone)
    except ValueError:
        return label(cell)
