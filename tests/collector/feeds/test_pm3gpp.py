"""Performance files: what becomes of good ones, in each dialect and form, and of what is none."""

from __future__ import annotations

import asyncio
import gzip
import os
import random
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from collector.feeds.pm3gpp import KIND, PmSpec, probe, read
from collector.model import Metric, ProbeFailed
from collector.net import AddressMap, Context, Net, Resolver
from collector.pm.times import duration, moment
from collector.records import Batch, Dataset, Downtime, Sense
from collector.sources.fetched import Fetched
from collector.sources.made import shelved
from tests.http_peers import ok, saying
from tests.lag import Lag
from tests.pm_files import DIALECTS, FORMS, STANDARD, VARIANTS, VENDOR, block, document, station

MIB = 1024**2
BEGIN = datetime(2026, 11, 23, 8, 0, tzinfo=UTC).timestamp()
LTE = {"pattern": r"MeContext=(?P<enb>\d+).*EUtranCellFDD=(?P<cell>\d+)$", "key": "4G-{enb}-{cell}"}
NR = {"pattern": r"ManagedElement=(?P<gnb>\w+),.*NRCellDU=(?P<cell>\d+)", "key": "{gnb}/{cell}"}
PLAIN = {"pattern": r"Cell=(?P<cell>\S+)$"}
STANDARD_COUNTERS = {"unplanned": ["RRU.CellUnavailableTime.*"], "planned": ["RRU.CellUnavailableTime.Locked"]}


def spec(**others: Any) -> PmSpec:
    feed = {"source": {"folder": "in"}, "operator": "viettel", "period": "15m", "cell": PLAIN}
    return PmSpec.model_validate(feed | others)


def made(*contents: bytes | str, **others: Any) -> Batch:
    """The batch of these files."""
    raw = [content.encode() if isinstance(content, str) else content for content in contents]
    return read(spec(**others), tuple(Fetched(f"{n}.xml", content) for n, content in enumerate(raw)))


def seconds(batch: Batch) -> dict[str, tuple[float | None, float | None, bool]]:
    """Unplanned and planned seconds and whether they are suspect, by cell."""
    found = {}
    for record in batch.records:
        assert isinstance(record, Downtime)
        assert (record.operator, record.begin, record.period) == ("viettel", BEGIN, 900)
        found[record.cell] = (record.unplanned, record.planned, record.suspect)
    return found


def test_a_vendors_file_with_all_its_oddities() -> None:
    batch = made(VENDOR, cell=LTE)
    assert seconds(batch) == {
        "4G-500473-110": (12, 0, False),
        "4G-500473-111": (None, None, True),
        "4G-500473-112": (900, 0, False),
        "4G-500473-113": (None, 300, False),
    }
    assert (batch.dataset, batch.sense, batch.complete) == (Dataset.DOWNTIME, Sense.POSITIVE, True)
    assert (batch.rows, batch.unreadable, batch.faults) == (5, 0, ())
    assert batch.as_of == BEGIN + 900
    assert batch.raw == (("0.xml", VENDOR.encode()),)


def test_the_standards_file_in_lists() -> None:
    batch = made(STANDARD, cell=NR, counters=STANDARD_COUNTERS)
    assert seconds(batch) == {"gNB7/1": (30, 60, False), "gNB7/2": (None, 0, False)}
    assert batch.complete


@pytest.mark.parametrize(("dialect", "form"), VARIANTS)
def test_dialects_and_forms_say_the_same(dialect: str, form: str) -> None:
    assert seconds(made(station(dialect, form))) == {"0": (0, 0, False), "1": (None, 0, False), "2": (2, 0, False)}


@pytest.mark.parametrize("end", ["2026-11-23T08:15:00Z", "2026-11-23T15:15:00+07:00", "2026-11-23T15:15:00+0700",
                                 "2026-11-23T09:15:00.000+0100", "2026-11-23T08:15:00+00:00"])  # fmt: skip
def test_zones(end: str) -> None:
    assert len(seconds(made(station("28.532", "items", end=end)))) == 3


@pytest.mark.parametrize(
    ("change", "rows", "fault"),
    [
        (lambda text: text.replace('00Z"/>\n<measT', '00"/>\n<measT'), "012",
         "row 1: '2026-11-23T08:15:00' has no time zone"),
        (lambda text: text.replace("PT900S", "15 minutes"), "012", "row 1: '15 minutes' is no duration of a period"),
        (lambda text: text.replace("PT900S", "PT0S"), "012", "row 1: 'PT0S' is no duration of a period"),
        (lambda text: text.replace('<r p="2">2', '<r p="2">NaN'), "2", "row 3: pmCellDowntimeAuto: 'NaN' is no number"),
        (lambda text: text.replace('<r p="2">2', '<r p="2">-1'), "2",
         "row 3: pmCellDowntimeAuto: -1 s in a period of 900 s"),
        (lambda text: text.replace('<r p="2">2', '<r p="2">1e9'), "2",
         "row 3: pmCellDowntimeAuto: 1e+09 s in a period of 900 s"),
        (lambda text: text.replace('<r p="2">2', '<r p="2">1,2'), "2", "row 3: pmCellDowntimeAuto: '1,2' is no number"),
        (lambda text: text.replace("Cell=2", "Sector=2"), "2", "row 3: 'ManagedElement=QN1,Sector=2' names no cell"),
        (lambda text: text.replace("Cell=2", "Cell=" + "2" * 300), "2", f"row 3: '{'2' * 60}' gives no key of a cell"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_read_are_left_out_and_said(change: Callable[[str], str], rows: str, fault: str) -> None:
    good = station("32.435", "items").decode()
    bad = change(good)
    assert bad != good
    batch = made(bad)
    assert (batch.rows, batch.unreadable, batch.faults[0]) == (3, len(rows), fault)
    assert seconds(batch) == {cell: value for cell, value in seconds(made(good)).items() if cell not in rows}


def test_lists_of_another_length_are_left_out() -> None:
    content = station("28.532", "lists").replace(b"1,2,3 2 0", b"1,2,3 2")
    batch = made(content)
    assert (batch.unreadable, batch.faults) == (1, ("row 3: 2 results for 3 counters",))
    assert set(seconds(batch)) == {"0", "1"}


def test_faults_are_said_of_the_first_rows_only() -> None:
    batch = made(station("32.435", "items", cells=50).replace(b"Cell=", b"Sector="))
    assert (batch.rows, batch.unreadable, len(batch.faults), batch.records) == (50, 50, 20, ())


@pytest.mark.parametrize(("one", "other", "expected"), [
    ("5", "5", (5, None, False)),
    ("5", "", (5, None, False)),
    ("", "5", (5, None, False)),
    ("", "", (None, None, False)),
    ("5", "7", (7, None, True)),
])  # fmt: skip
@pytest.mark.parametrize("apart", [True, False])
def test_a_cell_that_comes_twice(one: str, other: str, expected: tuple[Any, ...], apart: bool) -> None:
    blocks = [block("items", ["pmCellDowntimeAuto"], [("Cell=1", [value], False)], "2026-11-23T08:15:00Z", "PT900S")
              for value in (one, other)]  # fmt: skip
    contents = [document("32.435", [part]) for part in blocks] if apart else [document("32.435", blocks)]
    assert seconds(made(*contents)) == {"1": expected}


def test_causes_are_added_up_and_one_that_is_blank_leaves_the_sum_unknown() -> None:
    counters = ["RRU.CellUnavailableTime.A", "RRU.CellUnavailableTime.B", "RRU.CellUnavailableTime.Locked"]
    rows = [("Cell=1", ["10", "20", "5"], False), ("Cell=2", ["10", "", "5"], False)]
    content = document("28.532", [block("items", counters, rows, "2026-11-23T08:15:00Z", "PT900S")])
    assert seconds(made(content, counters=STANDARD_COUNTERS)) == {"1": (30, 5, False), "2": (None, 5, False)}
    scaled = STANDARD_COUNTERS | {"scale": 0.1}
    assert seconds(made(content, counters=scaled))["1"] == (3.0, 0.5, False)


def test_periods_of_several_files_stay_apart() -> None:
    batch = made(station("32.435", "items"), station("32.435", "items", end="2026-11-23T08:30:00Z"))
    assert len(batch.records) == 6
    assert batch.as_of == BEGIN + 1800


def test_a_file_without_a_footer_is_not_complete() -> None:
    content = station("32.435", "items")
    start, end = content.index(b"<fileFooter>"), content.index(b"</fileFooter>") + len(b"</fileFooter>")
    batch = made(content[:start] + content[end:])
    assert (batch.complete, len(batch.records)) == (False, 3)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "iso-8859-1", "windows-1258"])
def test_encodings_that_are_declared(encoding: str) -> None:
    text = station("32.435", "items").decode().replace("UTF-8", encoding.removesuffix("-sig"))
    assert len(made(text.encode(encoding)).records) == 3


@pytest.mark.parametrize(
    ("before", "good"),
    [
        ('<?xml-stylesheet href="a"?>', True),
        ('\ufeff<?xml-stylesheet href="a"?>\n', True),
        ("\n", True),
        ('<?a?><?b c="d"?>\r\n', True),
        ("<!-- x -->", False),
        ("x", False),
    ],
)
def test_what_may_stand_before_the_declaration(before: str, good: bool) -> None:
    content = before.encode() + station("32.435", "items")
    if good:
        assert len(made(content).records) == 3
    else:
        with pytest.raises(ProbeFailed, match="not well-formed XML"):
            made(content)


def bounded(content: bytes) -> tuple[Batch | None, str]:
    """The batch of a file, or why there is none; in time and, in a second run, in memory."""
    begun = time.thread_time()  # what others do on the machine is not ours
    verdict = judged(content)
    assert time.thread_time() - begun < 2
    tracemalloc.start()
    judged(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * MIB
    return verdict


def judged(content: bytes) -> tuple[Batch | None, str]:
    """The batch of a file, or why there is none."""
    try:
        return made(content), ""
    except ProbeFailed as failed:
        return None, f"{failed.reason}: {failed.detail}"


def wrapped(inner: bytes) -> bytes:
    return b'<?xml version="1.0"?><measCollecFile>' + inner + b"</measCollecFile>"


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">%s]><measCollecFile>&z;</measCollecFile>' % b"".join(
    b'<!ENTITY %c "&%c;&%c;">' % (letter + 1, letter, letter) for letter in range(97, 122)
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not well-formed XML"),
        (b"\0" * 1000, "not well-formed XML"),
        (b"{}", "not well-formed XML"),
        (b"<html><body>login</body></html>", "the root is html, not measCollecFile or measDataFile"),
        (b"<mdc/>", "the root is mdc"),
        ("<trạm/>".encode(), "the root is tr\\u1ea1m"),
        (LAUGHS, "XML that declares a document type or entities is not read"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><measDataFile/>', "document type or entities"),
        (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><measDataFile>&a;</measDataFile>', "document type"),
        (b"<measDataFile>&passwd;</measDataFile>", "undefined entity"),
        (b"<measDataFile>" + b"<a>" * 200_000, "nested deeper than 64 elements"),
        (wrapped(b"<a>" * 200_000 + b"</a>" * 200_000), "nested deeper than 64 elements"),
        (wrapped(b"<a/>" * 1_000_000), "more than 1000000 elements"),
        (wrapped(b'<a x="' + b"y" * (50 * MIB) + b'"/>'), "a tag or comment of more than 262144 bytes"),
        (wrapped(b"<!--" + b"y<" * (20 * MIB) + b"-->"), "a tag or comment of more than 262144 bytes"),
        (wrapped(b"<a " + b" ".join(b'a%d=""' % n for n in range(10_000)) + b"/>"), "more than 100 attributes"),
        (wrapped(b"<measInfo><measTypes>" + b"y" * (50 * MIB)), "a text of more than 1048576 characters"),
        (wrapped(b"<measInfo><measTypes>" + b"&#65;" * (2 * MIB)), "a text of more than 1048576 characters"),
        (b'<?xml version="1.0" encoding="x-none"?><measDataFile/>', "unknown encoding"),
        (b'<?xml version="1.0" encoding="hex"?><measDataFile/>', "encoding"),
        (b'<?xml version="1.0" encoding="utf-7"?><measDataFile/>', "multi-byte encodings"),
        (station("32.435", "items").replace(b"pmCellDowntime", b"pmOther"), "none of the `counters` is in the files"),
        (wrapped(b""), "none of the `counters`"),
    ],
)  # fmt: skip
def test_what_is_no_performance_file_is_refused_in_no_time(content: bytes, words: str) -> None:
    batch, failure = bounded(content)
    assert batch is None
    assert words in failure
    assert failure.startswith(("protocol: ", "unexpected: "))


GOOD = {variant: made(station(*variant, cells=40)).records for variant in VARIANTS}


@given(st.sampled_from(VARIANTS), st.data())
@settings(max_examples=60, deadline=None)
def test_a_file_that_is_cut_off_is_refused(variant: tuple[str, str], data: st.DataObject) -> None:
    content = station(*variant, cells=40)
    batch, failure = judged(content[: data.draw(st.integers(0, len(content) - 2))])
    assert batch is None
    assert failure.startswith("protocol: ")


@given(st.sampled_from(VARIANTS), st.randoms(use_true_random=False), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_rows_shuffled_and_repeated_say_the_same(variant: tuple[str, str], chance: random.Random, times: int) -> None:
    head, *rows = station(*variant, cells=40).decode().split("<measValue ")
    last, tail = rows[-1].split("</measInfo>")
    rows = [*rows[:-1], last] * times
    chance.shuffle(rows)
    batch = made("<measValue ".join([head, *rows]) + "</measInfo>" + tail)
    assert set(batch.records) == set(GOOD[variant])
    assert len(batch.records) == 40
    assert batch.unreadable == 0


@given(st.sampled_from(VARIANTS), st.data())
@settings(max_examples=150, deadline=None)
def test_a_file_with_other_bytes_gives_no_other_seconds(variant: tuple[str, str], data: st.DataObject) -> None:
    """Bytes outside of results, names and times are changed: the result is the good one, less of it, or none."""
    content = bytearray(station(*variant, cells=40))
    at = data.draw(st.integers(0, len(content) - 1))
    if chr(content[at]).isalnum():
        return
    content[at] = data.draw(st.sampled_from([0, 10, 32, 38, 60, 62, 255]))
    batch, _ = judged(bytes(content))
    if batch is not None:
        good = {(record.cell, record.begin): record for record in GOOD[variant] if isinstance(record, Downtime)}
        for record in batch.records:
            assert isinstance(record, Downtime)
            known = good.get((record.cell, record.begin))
            if known is not None:
                for said, was in ((record.unplanned, known.unplanned), (record.planned, known.planned)):
                    assert said in (was, None)


def test_a_file_of_the_future_says_so() -> None:
    assert (made(station("28.532", "items", end="2126-11-23T08:15:00Z")).as_of or 0) > BEGIN + 3e9


def test_a_large_file_is_read_fast_and_leaves_the_loop_alone() -> None:
    content = station("32.435", "items", cells=50_000)

    async def play() -> float:
        lag, done = Lag(), asyncio.ensure_future(asyncio.to_thread(made, content))
        watch = asyncio.ensure_future(lag.watch())
        assert len((await done).records) == 50_000
        watch.cancel()
        return lag.busy

    assert asyncio.run(play()) < 0.05


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({"cell": {"pattern": "x"}}, "`key` names {cell}, which is no group"),
        ({"cell": {"pattern": "(?P<cell>x)", "key": "x"}}, "`key` names no group of `pattern`"),
        ({"cell": {"pattern": "(?P<cell>x)", "key": "{enb}-{cell}"}}, "`key` names {enb}"),
        ({"cell": {"pattern": "("}}, "bad regular expression"),
        ({"counters": {"unplanned": [], "planned": []}}, "`counters` names none"),
        ({"counters": {"unplanned": ["two words"]}}, "should match pattern"),
        ({"counters": {"scale": 0}}, "greater than 0"),
        ({"dataset": "cells"}, "Input should be"),
        ({"sense": "negative"}, "Input should be"),
        ({"operator": None}, "valid string"),
        ({"max_elements": 10}, "greater than or equal to 1000"),
    ],
)
def test_faults_of_the_settings(others: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words.replace("(", r"\(").replace("{", r"\{").replace("}", r"\}")):
        spec(**others)


def test_settings_as_yaml_has_them() -> None:
    feed = spec(dataset="downtime", sense="positive", max_elements=1000, cell=LTE)
    assert (feed.dataset, feed.oldest, feed.peer) == (Dataset.DOWNTIME, 2700, "in")
    with pytest.raises(ProbeFailed, match="more than 1000 elements"):
        read(feed, (Fetched("a.xml", station("32.435", "items", cells=1000)),))


@pytest.mark.parametrize(("text", "expected"), [("PT900S", 900), ("PT15M", 900), ("PT1H", 3600), ("P1D", 86400),
                                                ("P1DT1H1M1.5S", 90061.5), ("PT0.5S", 0.5)])  # fmt: skip
def test_durations(text: str, expected: float) -> None:
    assert duration(text) == expected


@given(st.text(max_size=20))
def test_what_is_no_time_is_said_to_be_none(text: str) -> None:
    for reading in (duration, moment):
        with pytest.raises(ValueError, match=r"is no (time|duration)|has no time zone"):
            reading("x" + text)


@asynccontextmanager
async def running() -> AsyncIterator[Callable[[PmSpec], Awaitable[Batch]]]:
    """Runs of the kind itself, that share what it opens."""
    resolver = Resolver(())
    net = Net(resolver, AddressMap({}))

    def emit(metric: Metric, value: float, *labels: str) -> None:
        assert metric in KIND.metrics

    try:
        async with shelved(net) as shelf:
            yield lambda feed: probe(feed, emit, Context(net, time.monotonic() + 5, shelf, 60.0))
    finally:
        await resolver.close()


async def test_files_of_a_folder_by_time(tmp_path: Path) -> None:
    """Packed files of two periods; nothing is read again while nothing is new."""
    for age, end in ((120, "2026-11-23T08:15:00Z"), (60, "2026-11-23T08:30:00Z")):
        file = tmp_path / f"A20261123.{age}.xml.gz"
        file.write_bytes(gzip.compress(station("32.435", "items", end=end)))
        os.utime(file, (time.time() - age, time.time() - age))
    async with running() as run:
        newest = spec(source={"folder": str(tmp_path), "pattern": "*.xml.gz"})
        every = spec(source={"folder": str(tmp_path), "pattern": "*.xml.gz", "take": "all"})
        first, both = await run(newest), await run(every)
        assert [record.begin for record in first.records if isinstance(record, Downtime)] == [BEGIN + 900] * 3
        assert len(both.records) == 6
        assert await run(newest) is first


@pytest.mark.parametrize(("dialect", "form"), [(DIALECTS[1], FORMS[0])])
async def test_a_file_by_http(dialect: str, form: str) -> None:
    page = ok(b"<!doctype html><form>", "Content-Type: text/html")
    good = ok(gzip.compress(station(dialect, form)), "Content-Type: application/gzip", 'ETag: "1"')
    async with saying(good, page, b"HTTP/1.1 304 Same\r\n\r\n") as server, running() as run:
        feed = spec(source={"url": f"http://127.0.0.1:{server.port}/A20261123.xml.gz"})
        first = await run(feed)
        assert len(first.records) == 3
        with pytest.raises(ProbeFailed, match="the server answered text/html"):
            await run(feed)
        assert await run(feed) is first
