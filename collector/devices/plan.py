"""Profiles compiled into what to ask of a device and what to make of its answers. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from collector.devices.objects import Scalar
from collector.devices.profile import DeviceProfile, Table
from collector.devices.readings import ONE, Factor, Reading, compiled, factor_of
from collector.devices.rows import Cells, Index, Part, RowLabel, judge, judge_raw
from collector.devices.values import Raw
from collector.model import Emit

# Key of a single object among the cells of tables.
SINGLE = "single"
_NOTHING: Mapping[str, Raw] = MappingProxyType({})


DROP_REASONS = ("limit", "duplicate", "index")


@dataclass(slots=True)
class Tally:
    """What one run could not use: scalars that the device lacks, answers that the profile does not expect, rows."""

    missing: int = 0
    unreadable: int = 0
    dropped: dict[str, int] = field(default_factory=lambda: dict.fromkeys(DROP_REASONS, 0))


@dataclass(frozen=True, slots=True)
class ScalarPlan:
    """A single value, its fixed labels, and the object that must meet a condition for it to count."""

    reading: Reading
    labels: tuple[str, ...]
    condition: tuple[str, Callable[[Raw], bool]] | None


class TablePlan:
    """One table: which columns to fetch, which rows to keep, what to emit."""

    def __init__(self, profile: str, table: Table) -> None:
        self.profile = profile
        self.table = table
        self.index = Index(table.index)
        self.labels = tuple(RowLabel(label, self.index) for label in table.labels)
        names = tuple(label.name for label in table.labels)
        self.readings = tuple(compiled(column, names) for column in table.columns)
        self.filters = tuple((row.oid, judge_raw(row)) for row in table.rows if row.oid is not None)
        self._by_part = tuple(
            (self.index.names.index(row.index), judge(row)) for row in table.rows if row.index is not None
        )
        self._by_label = tuple((names.index(row.label), judge(row)) for row in table.rows if row.label is not None)
        self.fixed = _fixed(table)

    @property
    def columns(self) -> frozenset[str]:
        """All columns of the table's own index."""
        fallbacks = (column for label in self.labels for column in label.fallbacks)
        filters = (column for column, _ in self.filters)
        return frozenset((*filters, *self.label_columns, *fallbacks, *self.value_columns))

    @property
    def label_columns(self) -> Iterator[str]:
        """Columns of the table's own index that labels need."""
        for label in self.labels:
            if label.own_index and label.source is not None:
                yield label.source
            if label.via is not None:
                yield label.via

    @property
    def lookup_columns(self) -> Iterator[str]:
        """Columns of other tables that labels are looked up in."""
        for label in self.labels:
            if label.source is not None and not label.own_index:
                yield label.source

    @property
    def value_columns(self) -> Iterator[str]:
        """Columns that hold values and their factors."""
        yield from (reading.oid for reading in self.readings)
        yield from (oid for oid in self._factors if not is_single(oid))

    @property
    def singles(self) -> Iterator[str]:
        """Single objects of the device that hold factors."""
        return filter(is_single, self._factors)

    @property
    def _factors(self) -> Iterator[str]:
        return (source.oid for reading in self.readings for source in reading.factors)

    def accepted(self, keys: Iterable[str], tally: Tally) -> dict[str, tuple[Part, ...]]:
        """Rows whose index fits and passes the conditions on it."""
        rows = {}
        for key in keys:
            try:
                parts = self.index.decode(key)
            except ValueError:
                tally.dropped["index"] += 1
                continue
            if all(passes(parts[place].text) for place, passes in self._by_part):
                rows[key] = parts
        return rows

    def unlabelled(self, rows: Mapping[str, tuple[Part, ...]], cells: Cells) -> Iterator[tuple[str, list[str]]]:
        """Columns to try for rows whose label is still empty."""
        for label in self.labels:
            for column in label.fallbacks:
                empty = [key for key, parts in rows.items() if label.value(key, parts, cells) in {"", key}]
                if empty:
                    yield column, empty

    def labelled(self, rows: Mapping[str, tuple[Part, ...]], cells: Cells, tally: Tally) -> dict[str, tuple[str, ...]]:
        """Labels of each row that passes the conditions on them; of rows with the same labels, the first."""
        kept: dict[tuple[str, ...], str] = {}
        for key, parts in rows.items():
            labels = tuple(label.value(key, parts, cells) for label in self.labels)
            if not all(passes(labels[place]) for place, passes in self._by_label):
                continue
            if kept.setdefault(labels, key) is not key:
                tally.dropped["duplicate"] += 1
        return {key: labels for labels, key in kept.items()}

    def emit(self, key: str, labels: tuple[str, ...], cells: Cells, emit: Emit, tally: Tally) -> None:
        """Samples of one row."""
        for reading in self.readings:
            raw = cells.get(reading.oid, _NOTHING).get(key)
            if raw is None:
                continue
            factor = _factor(reading, key, cells) if reading.factors else ONE
            if factor is not None and not reading.record(raw, labels, factor, emit):
                tally.unreadable += 1


def _factor(reading: Reading, key: str, cells: Cells) -> Factor | None:
    return factor_of(reading.factors, lambda oid: cells.get(oid, _NOTHING).get(SINGLE if is_single(oid) else key))


def is_single(oid: str) -> bool:
    """Whether it is a single object: a column never ends in .0, because its number begins at 1 (RFC 2578, 7.1.12)."""
    return oid.endswith(".0")


def _fixed(table: Table) -> tuple[str, ...] | None:
    """The only indexes there can be, when a condition on a single number lists them."""
    if len(table.index) != 1 or table.index[0].type != "integer" or table.index[0].enum is not None:
        return None
    listed = [row for row in table.rows if row.index is not None and row.values]
    return tuple(map(str, listed[0].values)) if listed else None


class Plan:
    """What several profiles ask of one device in one run; an object that two of them name is asked for once."""

    def __init__(self, profiles: tuple[DeviceProfile, ...]) -> None:
        scalars = {(each.name, *each.labels.items()): each for profile in profiles for each in profile.scalars}
        tables: list[tuple[str, Table]] = []
        for profile in profiles:
            known = [table for _, table in tables]
            tables += [(profile.name, table) for table in profile.tables if table not in known]
        self.scalars = tuple(map(_scalar, scalars.values()))
        self.tables = tuple(TablePlan(name, table) for name, table in tables)
        oids = [plan.reading.oid for plan in self.scalars]
        oids += [source.oid for plan in self.scalars for source in plan.reading.factors]
        oids += [plan.condition[0] for plan in self.scalars if plan.condition is not None]
        oids += [oid for table in self.tables for oid in table.singles]
        self.gets = tuple(dict.fromkeys(oids))
        metrics = [plan.reading.metric for plan in self.scalars]
        metrics += [reading.metric for table in self.tables for reading in table.readings]
        self.metrics = tuple(dict.fromkeys(metrics))
        self._dependent = tuple(each for each in self.scalars if each.reading.factors or each.condition is not None)
        self._plain = tuple(
            (each.reading.oid, each.reading.record, each.labels)
            for each in self.scalars
            if not each.reading.factors and each.condition is None
        )

    def emit(self, answers: Mapping[str, Raw], emit: Emit, tally: Tally) -> None:
        """Samples of the single values; `answers` is OID -> raw answer."""
        for oid, record, labels in self._plain:
            raw = answers.get(oid)
            if raw is None:
                tally.missing += 1
            elif not record(raw, labels, ONE, emit):
                tally.unreadable += 1
        for plan in self._dependent:
            self._emit_dependent(plan, answers, emit, tally)

    def _emit_dependent(self, plan: ScalarPlan, answers: Mapping[str, Raw], emit: Emit, tally: Tally) -> None:
        raw = answers.get(plan.reading.oid)
        if raw is None:
            tally.missing += 1
        elif plan.condition is None or _meets(plan.condition, answers):
            factor = factor_of(plan.reading.factors, answers.get)
            if factor is not None and not plan.reading.record(raw, plan.labels, factor, emit):
                tally.unreadable += 1


def _meets(condition: tuple[str, Callable[[Raw], bool]], answers: Mapping[str, Raw]) -> bool:
    oid, passes = condition
    return oid in answers and passes(answers[oid])


def _scalar(scalar: Scalar) -> ScalarPlan:
    only_if = scalar.only_if
    condition = (only_if.oid, judge_raw(only_if)) if only_if is not None and only_if.oid is not None else None
    return ScalarPlan(compiled(scalar, tuple(scalar.labels)), tuple(scalar.labels.values()), condition)


# Specs with the same profiles share one plan: thousands of targets have a handful of them.
@lru_cache(maxsize=1024)
def plan_of(profiles: tuple[DeviceProfile, ...]) -> Plan:
    """The plan of these profiles. Raises ValueError when two of them define a metric in different ways."""
    for place, profile in enumerate(profiles):
        for other in profiles[:place]:
            clash = _clash(profile, other)
            if clash:
                raise ValueError(f"profiles '{other.name}' and '{profile.name}' both define {clash}, in different ways")
    return Plan(profiles)


def _clash(one: DeviceProfile, other: DeviceProfile) -> str | None:
    ours, theirs = _definitions(one), _definitions(other)
    return next((name for name in ours if name in theirs and ours[name] != theirs[name]), None)


def _definitions(profile: DeviceProfile) -> dict[str, list[Scalar | Table]]:
    """What each metric is made of, by its name."""
    found: dict[str, list[Scalar | Table]] = {}
    for scalar in profile.scalars:
        found.setdefault(scalar.name, []).append(scalar)
    for table in profile.tables:
        for column in table.columns:
            found.setdefault(column.name, []).append(table)
    return found
