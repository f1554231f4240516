"""What is held of each feed: the last good batch, and what came of the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from collector.intake import Guard, Holdings
from collector.model import Labels, Outcome, Reason, Result, Sample, Target
from collector.records import Batch, Cell, CellState, Dataset, Outage, Sense, Technology
from collector.sources.feed import FeedSpec
from tests.lag import Lag

FEED = "vien-thong"


class Table:
    """A sink to look into."""

    def __init__(self) -> None:
        self.owners: dict[str, list[Sample]] = {}

    def put(self, owner: str, labels: Labels, samples: Iterable[Sample]) -> None:
        """Keep."""
        self.owners[owner] = list(samples)

    def drop(self, owner: str) -> None:
        """Forget."""
        del self.owners[owner]

    def values(self) -> Mapping[tuple[str, ...], float]:
        """By name and labels."""
        return {(one.metric.name, *one.labels): one.value for some in self.owners.values() for one in some}


def feed(folder: Path, **more: object) -> Target:
    spec = FeedSpec.model_validate(
        {"source": {"folder": folder}, "operator": "op-viettel", "dataset": "cells", "period": 900.0, **more}
    )
    return Target(FEED, "op-viettel", "table", spec, 60.0, 10.0)


def cells(count: int, **more: object) -> Batch:
    records = tuple(Cell("op-viettel", f"4G-{n}-1", Technology.G4, state=CellState.ACTIVE) for n in range(count))
    return replace(Batch(Dataset.CELLS, Sense.POSITIVE, records, rows=count), **more)  # type: ignore[arg-type]


def run(batch: Batch | None, outcome: Outcome = Outcome.OK, reason: Reason | None = None) -> Result:
    return Result(FEED, outcome, time.time(), 0.1, reason, "", batch=batch)


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def clock() -> list[float]:
    return [1000.0]


@pytest.fixture
def holdings(table: Table, clock: list[float], tmp_path: Path) -> Holdings:
    found = Holdings(table, lambda: clock[0])
    found.apply({FEED: feed(tmp_path)}, None, tmp_path / "refused")
    return found


def test_a_feed_that_never_gave_anything_is_due_too(holdings: Holdings, table: Table) -> None:
    due = table.values()["hatang_feed_due_timestamp_seconds",]
    assert due == holdings.by_target[FEED].since + 2700


async def test_a_good_batch_is_held_and_counted(holdings: Holdings, table: Table) -> None:
    assert (await holdings.take(run(cells(10)))).outcome is Outcome.OK
    held = holdings.by_target[FEED]
    assert held.batch is not None
    assert len(held.batch.records) == 10
    values = table.values()
    assert values["hatang_feed_records", "op-viettel"] == 10
    assert values["hatang_feed_accepted_total",] == 1
    assert values["hatang_feed_due_timestamp_seconds",] == values["hatang_feed_timestamp_seconds",] + 2700
    assert {values["hatang_feed_refused_total", "op-viettel", guard.value] for guard in Guard} == {0}


async def test_a_refused_one_fails_its_run_and_changes_nothing(
    holdings: Holdings, table: Table, tmp_path: Path
) -> None:
    await holdings.take(run(cells(10)))
    result = await holdings.take(run(cells(2, raw=(("../../tram .csv", b"cut"),))))
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED)
    assert result.detail == "refused by guard rows: 2 rows after 10: fewer than 50%"
    assert table.values()["hatang_feed_refused_total", "op-viettel", "rows"] == 1
    assert table.values()["hatang_feed_records", "op-viettel"] == 10
    (kept,) = (tmp_path / "refused" / FEED).iterdir()
    assert kept.name.endswith("-0-rows-_.._tram_.csv")
    assert kept.read_bytes() == b"cut"


async def test_what_is_kept_aside_is_bounded(holdings: Holdings, tmp_path: Path) -> None:
    await holdings.take(run(cells(10)))
    for _ in range(4):
        await holdings.take(run(cells(1, raw=tuple((f"{n}.csv", b"x") for n in range(3)))))
    assert len(list((tmp_path / "refused" / FEED).iterdir())) <= 5


async def test_a_login_page_counts_as_refused_and_is_kept(holdings: Holdings, table: Table, tmp_path: Path) -> None:
    page = (("cells", b"<html>"),)
    result = await holdings.take(replace(run(None, Outcome.FAIL, Reason.UNEXPECTED), documents=page))
    assert not result.documents
    (kept,) = (tmp_path / "refused" / FEED).iterdir()
    assert (kept.name[-14:], kept.read_bytes()) == ("-0-shape-cells", b"<html>")
    await holdings.take(run(None, Outcome.FAIL, Reason.TIMEOUT))
    assert table.values()["hatang_feed_refused_total", "op-viettel", "shape"] == 1


async def test_silence_becomes_unknown_after_three_periods(holdings: Holdings, clock: list[float]) -> None:
    await holdings.take(run(cells(10, as_of=time.time() - 600)))
    held = holdings.by_target[FEED]
    clock[0] += 2700 - 601
    assert holdings.fresh(held)
    clock[0] += 2
    assert not holdings.fresh(held)
    assert held.batch is not None


async def test_a_folder_into_which_nobody_writes_is_silent(holdings: Holdings, clock: list[float]) -> None:
    """Its last file is found again and again, and is no news: three periods after it came, it is unknown."""
    came = time.time() - 600
    await holdings.take(run(cells(10, arrived=came)))
    held = holdings.by_target[FEED]
    assert held.as_of == came
    clock[0] += 2000
    assert (await holdings.take(run(cells(10, arrived=came - 2000)))).outcome is Outcome.OK
    clock[0] += 101
    assert not holdings.fresh(held)
    result = await holdings.take(run(cells(10, arrived=came - 2101)))
    assert result.detail == "refused by guard age: its last file is 2701 s old; at most 2700 s are allowed"


async def test_a_negative_feed_recovers_at_once(table: Table, tmp_path: Path) -> None:
    holdings = Holdings(table)
    target = feed(tmp_path, dataset="outages", sense="negative")
    holdings.apply({FEED: target}, None, tmp_path)
    storm = tuple(Outage("op-viettel", cell=f"4G-{n}-1") for n in range(60))
    for records in (storm, ()):
        batch = Batch(Dataset.OUTAGES, Sense.NEGATIVE, records, time.time(), len(records))
        assert (await holdings.take(run(batch))).outcome is Outcome.OK
    held = holdings.by_target[FEED].batch
    assert held is not None
    assert held.records == ()


async def test_the_same_settings_keep_what_was_given(holdings: Holdings, table: Table, tmp_path: Path) -> None:
    await holdings.take(run(cells(10)))
    holdings.apply({FEED: replace(feed(tmp_path), interval=30.0)}, None, tmp_path)
    assert holdings.by_target[FEED].batch is not None
    holdings.apply({FEED: feed(tmp_path, min_ratio=0.1)}, None, tmp_path)
    assert holdings.by_target[FEED].batch is None
    holdings.apply({}, None, tmp_path)
    assert table.owners == {}


async def test_records_that_are_the_same_are_the_same_objects(holdings: Holdings) -> None:
    await holdings.take(run(cells(10)))
    held = holdings.by_target[FEED]
    assert held.batch is not None
    first = held.batch.records
    await holdings.take(run(cells(10)))
    assert held.batch.records is first
    assert holdings.version == (3, 1)


async def test_many_records_keep_nobody_waiting(holdings: Holdings) -> None:
    """They are compared with those before, and counted, in a thread that lets the loop run."""
    runs, lag = [run(cells(count)) for count in (200_000, 200_000, 10)], Lag()
    watch = asyncio.create_task(lag.watch())
    await asyncio.sleep(0.01)
    for result in runs:
        await holdings.take(result)
    watch.cancel()
    assert holdings.by_target[FEED].accepted == 2
    assert lag.busy < 0.03
