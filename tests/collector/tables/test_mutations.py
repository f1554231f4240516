"""Good files that were damaged on their way: they give what the good one gave, or nothing, and never anything else."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.intake.guards import Rules, refusal
from collector.mapping import RowMap
from collector.model import ProbeFailed
from collector.records import Batch, Record
from tests import tables_of_others as others
from tests.feeding import shipped
from tests.tabling import table
from tests.workbooks import Cell, workbook

SAVED = 1795392000.0
NOW = SAVED + 3600
RULES = Rules(None, None, 1e10, 0.5)
HTML = "<!DOCTYPE html>\n<html><head><title>Đăng nhập</title></head>\n<body><form>Tên đăng nhập</form></body></html>\n"


@dataclass(frozen=True)
class Sample:
    """A good file: its map, its lines above the rows, its rows, its lines below them."""

    plan: RowMap
    encoding: str
    above: Sequence[str]
    rows: Sequence[str]
    below: Sequence[str] = ()

    def written(self, rows: Sequence[str] | None = None) -> bytes:
        """The file, with these rows."""
        return "".join((*self.above, *(self.rows if rows is None else rows), *self.below)).encode(self.encoding)


def sample(name: str, content: str, head: int, *, foot: int = 0, encoding: str = "utf-8") -> Sample:
    """A sample whose content has so many lines above and below the rows."""
    lines = content.splitlines(keepends=True)
    end = len(lines) - foot
    return Sample(shipped(name), encoding, lines[:head], lines[head:end], lines[end:])


SAMPLES = {
    "arcep": sample("arcep-sites", others.ARCEP, 1),
    "free": sample("free-outages", others.FREE, 1),
    "orange": sample("orange-outages", others.ORANGE, 3, encoding="cp1250"),
    "sfr": sample("sfr-outages", others.SFR, 4, foot=8),
    "bouygues": sample("bouygues-outages", others.BOUYGUES, 1),
    "opencellid": sample("opencellid", others.OPENCELLID_HEADER + others.OPENCELLID, 1),
}
each = pytest.mark.parametrize("name", SAMPLES)


def read(content: bytes, plan: RowMap) -> Batch:
    """What a file says."""
    return table(
        content, plan, "own" if plan.fields.operator is None and plan.fields.mcc is None else None, modified=SAVED
    )


def accepted(content: bytes, plan: RowMap, last: Batch) -> Sequence[Record] | None:
    """The records that come of a file after the `last` good one; None when it is refused, and so changes nothing."""
    try:
        batch = read(content, plan)
    except ProbeFailed:
        return None
    return None if refusal(batch, RULES, last, NOW) else batch.records


def outcome(name: str, damage: Callable[[Sample], bytes]) -> tuple[Sequence[Record] | None, Sequence[Record]]:
    """What is accepted of the damaged file, and what the good one said."""
    good = SAMPLES[name]
    last = read(good.written(), good.plan)
    assert refusal(last, RULES, last, NOW) is None
    return accepted(damage(good), good.plan, last), last.records


@each
@given(share=st.floats(0, 0.9999))
@settings(deadline=None)
def test_cut_off(name: str, share: float) -> None:
    """A cut between two lines of a list without an end shows in nothing but their number; no record is ever false."""
    found, good = outcome(name, lambda sample: sample.written()[: int(len(sample.written()) * share)])
    assert found is None or set(found) <= set(good)


@pytest.mark.parametrize("name", ["sfr"])
@given(share=st.floats(0, 0.9999))
@settings(deadline=None)
def test_cut_off_where_the_end_is_known(name: str, share: float) -> None:
    found, _ = outcome(name, lambda sample: sample.written()[: int(len(sample.written()) * share)])
    assert found is None


@each
@given(seed=st.integers())
@settings(deadline=None)
def test_shuffled(name: str, seed: int) -> None:
    rows = list(SAMPLES[name].rows)
    random.Random(seed).shuffle(rows)
    found, good = outcome(name, lambda sample: sample.written(rows))
    assert found is not None
    assert set(found) == set(good)
    assert len(found) == len(good)


@each
@pytest.mark.parametrize("times", [2, 10])
def test_rows_many_times(name: str, times: int) -> None:
    found, good = outcome(name, lambda sample: sample.written([*sample.rows] * times))
    assert found is None or set(found) == set(good)


@each
def test_the_whole_file_twice(name: str) -> None:
    found, good = outcome(name, lambda sample: sample.written() * 2)
    assert found is None or set(found) == set(good)


@each
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp037"])
def test_another_encoding(name: str, codec: str) -> None:
    found, good = outcome(name, lambda sample: sample.written().decode(sample.encoding).encode(codec))
    assert found is None or list(found) == list(good)


@each
@pytest.mark.parametrize("where", ["instead", "above", "below", "between"])
def test_a_web_page(name: str, where: str) -> None:
    def damage(good: Sample) -> bytes:
        content, page = good.written().decode(good.encoding), HTML
        middle = "".join(good.rows[:1]) + page + "".join(good.rows[1:])
        forms = {"instead": page, "above": page + content, "below": content + page}
        between = "".join(good.above) + middle + "".join(good.below)
        return forms.get(where, between).encode(good.encoding, "replace")

    found, good = outcome(name, damage)
    assert found is None or set(found) == set(good)


@each
@pytest.mark.parametrize("junk", ["NaN", "nan", "inf", "-inf", "1e999", "#N/A", "NULL", "None", "''"])
def test_what_is_no_number_in_every_column(name: str, junk: str) -> None:
    good = SAMPLES[name]
    separator = good.plan.table.delimiter if good.plan.table else ";"
    ending = "\r\n" if good.rows[0].endswith("\r\n") else "\n"
    junked = separator.join([junk] * len(good.rows[0].split(separator))) + ending
    found, records = outcome(name, lambda sample: sample.written([*sample.rows, junked]))
    assert found is None or set(found) == set(records)


@each
@given(st.data())
@settings(deadline=None)
def test_a_column_is_lost_or_doubled(name: str, data: st.DataObject) -> None:
    good = SAMPLES[name]
    separator = good.plan.table.delimiter if good.plan.table else ";"
    at = data.draw(st.integers(0, len(good.rows) - 1))
    values = good.rows[at].rstrip("\r\n").split(separator)
    place = data.draw(st.integers(0, len(values) - 1))
    changed = data.draw(
        st.sampled_from([values[:place] + values[place + 1 :], [*values[:place], "x", *values[place:]]])
    )
    rows = [*good.rows[:at], separator.join(changed) + "\n", *good.rows[at + 1 :]]
    found, records = outcome(name, lambda sample: sample.written(rows))
    assert found is None or set(found) <= set(records)


@each
def test_dates_of_the_future(name: str) -> None:
    def damage(good: Sample) -> bytes:
        later = [
            row.replace("16094", "26094").replace("2026-11", "2126-11").replace("/2026", "/2126") for row in good.rows
        ]
        return good.written(later)

    found, good = outcome(name, damage)
    plan = SAMPLES[name].plan
    if found is not None and plan.fields.observed_at is not None:
        assert list(found) == list(good)


def damaged_workbook(rows: list[list[Cell]]) -> bytes:
    """The department's workbook with other rows."""
    return workbook(rows, name="Trạm BTS")


@cache
def the_department() -> tuple[RowMap, Batch]:
    """Its map, and what its good file says."""
    plan = shipped("so-khcn-tram-bts")
    return plan, read(others.department(), plan)


def test_a_workbook_that_was_damaged() -> None:
    plan, good = the_department()
    rows: list[list[Cell]] = [list(row) for row in others.DEPARTMENT]
    data = [row for row in rows if row and isinstance(row[0], int)]
    swapped = [[*row[:4], row[5], row[4], *row[6:]] if row in data else row for row in rows]
    nan = [[*row[:4], "NaN", *row[5:]] if row in data else row for row in rows]
    late: list[list[Cell]] = [*rows[:4], ["(Tính đến ngày 20/11/2126)"], *rows[5:]]
    short: list[list[list[Cell]]] = [rows[:6], rows[:8], rows[:9], []]
    for damaged in (nan, late, *short, rows + data * 10):
        assert accepted(damaged_workbook(damaged), plan, good) is None
    some = accepted(damaged_workbook(rows[:11]), plan, good)
    assert some is not None
    assert set(some) < set(good.records)
    # Northing for easting is somewhere else: the guard that knows where the province is refuses it.
    found = accepted(damaged_workbook(swapped), plan, good)
    assert found is None or not set(found) & set(good.records)


@given(share=st.floats(0, 0.9999))
@settings(deadline=None)
def test_a_workbook_that_was_cut_off(share: float) -> None:
    content = others.department()
    plan, good = the_department()
    assert accepted(content[: int(len(content) * share)], plan, good) is None


@given(at=st.integers(0, 10**6), bits=st.integers(1, 255))
@settings(max_examples=30, deadline=None)  # each starts a process
def test_a_workbook_with_a_wrong_byte(at: int, bits: int) -> None:
    """The archive has a check sum of every part."""
    content = bytearray(others.department())
    content[at % len(content)] ^= bits
    plan, good = the_department()
    found = accepted(bytes(content), plan, good)
    assert found is None or list(found) == list(good.records)
