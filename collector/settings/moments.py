"""Dates, local times, and the rules by which they come again."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from collector.recurrence import parsed

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2})?"
_LOCAL = re.compile(f"{_DAY}[ T]{_TIME}")
_LOCAL_OR_DAY = re.compile(f"{_DAY}(?:[ T]{_TIME})?")
# Whoever means another time mistyped it.
FIRST_YEAR, LAST_YEAR = 2000, 2100
_END_OF_DAY = time(23, 59, 59)


def _local(value: object) -> datetime:
    if not isinstance(value, str) or not _LOCAL.fullmatch(value):
        raise PydanticCustomError(
            "local_time", "expected a local date and time such as 2026-11-23 22:00; its zone stands in `zone`"
        )
    return _read(value)


def _local_or_day(value: object) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _LOCAL_OR_DAY.fullmatch(value):
        raise PydanticCustomError(
            "local_time", "expected a local date such as 2026-12-31, or with a time: 2026-12-31 22:00"
        )
    return _read(value)


def _read(text: str) -> datetime:
    try:
        whole = datetime.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("local_time", "no such date or time") from None
    if not FIRST_YEAR <= whole.year <= LAST_YEAR:
        raise PydanticCustomError("local_time", f"must lie between {FIRST_YEAR} and {LAST_YEAR}")
    return whole if len(text) > len("2026-12-31") else datetime.combine(date.fromisoformat(text), _END_OF_DAY)


def _day(value: object) -> date:
    if not isinstance(value, str) or not re.fullmatch(_DAY, value):
        raise PydanticCustomError("day", "expected a date such as 2026-12-31")
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("day", "no such date") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise PydanticCustomError("day", f"must lie between {FIRST_YEAR} and {LAST_YEAR}")
    return day


def _rule(text: str) -> str:
    try:
        parsed(text)
    except ValueError as error:
        raise PydanticCustomError("rrule", "bad recurrence rule: {cause}", {"cause": str(error)}) from None
    return text


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "pattern": f"^{_DAY}$"})]
LocalTime = Annotated[
    datetime, BeforeValidator(_local), WithJsonSchema({"type": "string", "pattern": f"^{_LOCAL.pattern}$"})
]
LocalTimeOrDay = Annotated[
    datetime | None,
    BeforeValidator(_local_or_day),
    WithJsonSchema({"type": ["string", "null"], "pattern": f"^{_LOCAL_OR_DAY.pattern}$"}),
]
RecurrenceRule = Annotated[str, AfterValidator(_rule)]
