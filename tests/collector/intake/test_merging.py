"""What several feeds of an operator say of its cells together."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from collector.intake.merging import Known, Network, Source, merged
from collector.records import Batch, Cell, CellState, Dataset, Downtime, Outage, Record, Sense, Technology

NOW = 1_800_000_000.0
OPERATOR = "op-vinaphone"
ACTIVE, DOWN, PLANNED, UNKNOWN = CellState.ACTIVE, CellState.DOWN, CellState.PLANNED, CellState.UNKNOWN


def cell(key: str, state: CellState | None = None, **more: object) -> Cell:
    record = Cell(OPERATOR, key, Technology.G4, site=f"S{key[0]}", lat=15.0, lon=108.0 + int(key[0]) / 100, state=state)
    return replace(record, **more)  # type: ignore[arg-type]


def source(dataset: Dataset, *records: Record, ago: float = 60, fresh: bool = True) -> Source:
    sense = Sense.NEGATIVE if dataset is Dataset.OUTAGES else Sense.POSITIVE
    return Source(Batch(dataset, sense, records, NOW - ago, len(records)), NOW - ago, 2700, fresh, OPERATOR)


def states(*sources: Source) -> dict[str, CellState]:
    network = merged(sources, NOW, Network())
    return {one.key: known.state for one, known in zip(network.cells, network.known, strict=True)}


INVENTORY = source(Dataset.CELLS, cell("1a"), cell("1b", technology=Technology.G5), cell("2a"), ago=3600)


def test_a_cell_of_which_nobody_says_anything_is_unknown() -> None:
    assert states(INVENTORY) == {"1a": UNKNOWN, "1b": UNKNOWN, "2a": UNKNOWN}


def test_the_later_word_on_a_cell_counts() -> None:
    early = source(Dataset.CELLS, cell("1a", DOWN), cell("2a", ACTIVE), ago=900)
    late = source(Dataset.CELLS, cell("1a", ACTIVE, observed_at=NOW - 1000), cell("2a", DOWN), ago=30)
    for order in ((early, late), (late, early)):
        assert states(INVENTORY, *order) == {"1a": DOWN, "1b": UNKNOWN, "2a": DOWN}


def test_what_is_too_old_is_unknown() -> None:
    old = source(Dataset.CELLS, cell("1a", ACTIVE, observed_at=NOW - 2701), cell("2a", ACTIVE))
    assert states(old)["1a"] is UNKNOWN
    assert states(INVENTORY, source(Dataset.CELLS, cell("2a", ACTIVE), fresh=False))["2a"] is UNKNOWN


def test_who_is_not_on_the_list_of_outages_is_well() -> None:
    found = states(INVENTORY, source(Dataset.OUTAGES, Outage(OPERATOR, cell="1a")))
    assert found == {"1a": DOWN, "1b": ACTIVE, "2a": ACTIVE}
    assert set(states(INVENTORY, source(Dataset.OUTAGES)).values()) == {ACTIVE}
    assert set(states(INVENTORY, source(Dataset.OUTAGES, fresh=False)).values()) == {UNKNOWN}


def test_an_outage_is_of_a_site_a_position_or_a_technology() -> None:
    site = source(Dataset.OUTAGES, Outage(OPERATOR, site="S1", state=PLANNED))
    assert states(INVENTORY, site) == {"1a": PLANNED, "1b": PLANNED, "2a": ACTIVE}
    near = source(Dataset.OUTAGES, Outage(OPERATOR, lat=15.0003, lon=108.0102))
    assert states(INVENTORY, near) == {"1a": DOWN, "1b": DOWN, "2a": ACTIVE}
    only = source(Dataset.OUTAGES, Outage(OPERATOR, lat=15.0003, lon=108.0102, technology=Technology.G5))
    assert states(INVENTORY, only) == {"1a": ACTIVE, "1b": DOWN, "2a": ACTIVE}


def test_of_several_outages_of_a_cell_the_latest_counts_and_then_the_worst() -> None:
    """Whatever their order."""
    worst = [Outage(OPERATOR, cell="1a", state=state) for state in (CellState.SLEEPING, PLANNED, UNKNOWN, DOWN)]
    for some in combinations(worst, 2):
        for order in (some, some[::-1]):
            assert states(INVENTORY, source(Dataset.OUTAGES, *order))["1a"] is some[1].state
    late = replace(worst[1], site="S1", cell="", observed_at=NOW - 30)
    for rows in ((late, worst[3]), (worst[3], late)):
        assert states(INVENTORY, source(Dataset.OUTAGES, *rows))["1a"] is PLANNED


def test_planned_work_that_has_not_begun_is_no_outage_yet() -> None:
    work = source(Dataset.OUTAGES, Outage(OPERATOR, cell="1a", state=PLANNED, since=NOW + 3600))
    assert states(INVENTORY, work)["1a"] is ACTIVE
    begun = merged((INVENTORY, replace(work, as_of=NOW + 3540)), NOW + 3600, Network())
    assert begun.known[0].state is PLANNED
    assert not merged((INVENTORY, work), NOW, Network()).unmatched
    # What is down is down, whatever its operator's clock says.
    wrong = source(Dataset.OUTAGES, Outage(OPERATOR, cell="1a", since=NOW + 3600))
    assert states(INVENTORY, wrong)["1a"] is DOWN


def test_an_outage_of_nothing_known_is_counted() -> None:
    far = source(Dataset.OUTAGES, Outage(OPERATOR, lat=15.1, lon=108.01), Outage(OPERATOR, cell="9z"))
    assert merged((INVENTORY, far), NOW, Network()).unmatched == {OPERATOR: 2}


def test_counters_tell_planned_from_unplanned() -> None:
    begin = NOW - 960
    counters = source(
        Dataset.DOWNTIME,
        Downtime(OPERATOR, "1a", begin, 900, unplanned=900, planned=0),
        Downtime(OPERATOR, "1b", begin, 900, unplanned=0, planned=900),
        Downtime(OPERATOR, "2a", begin, 900, unplanned=300, planned=None),
    )
    assert states(INVENTORY, counters) == {"1a": DOWN, "1b": PLANNED, "2a": ACTIVE}
    doubtful = source(Dataset.DOWNTIME, Downtime(OPERATOR, "1a", begin, 900, 900, 0, suspect=True))
    assert states(INVENTORY, doubtful)["1a"] is UNKNOWN


def test_what_did_not_change_is_the_same_object() -> None:
    first = merged((INVENTORY,), NOW, Network())
    again = merged((INVENTORY, source(Dataset.CELLS, cell("1a", DOWN))), NOW, first)
    assert again.cells is first.cells
    assert again.known[0] == Known(DOWN, NOW - 60)
    assert merged((), NOW, again).cells == ()


def test_cells_are_made_anew_when_another_feed_is_the_latest() -> None:
    """Also of the very records of which they were made before."""
    here, there = (source(Dataset.CELLS, cell("1a", lat=lat)) for lat in (15.0, 15.1))
    network = Network()
    for ages, lat in (((60, 30), 15.1), ((20, 30), 15.0), ((20, 10), 15.1)):
        sources = [replace(one, as_of=NOW - ago) for one, ago in zip((here, there), ages, strict=True)]
        network = merged(sources, NOW, network)
        assert [one.lat for one in network.cells] == [lat]
    assert [one.lat for one in merged((here,), NOW, network).cells] == [15.0]
