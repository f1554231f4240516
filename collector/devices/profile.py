"""What can be read from one type of device by SNMP: the model of one file in `config/devices.d/`.

OIDs are numeric: no MIB is compiled at run time, because vendors' MIBs often do not compile. Metrics keep the names
of the MIB.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from collector.devices.objects import IndexPart, Label, Oid, Part, RowFilter, Scalar, Some, Value, fault
from collector.naming import MAX_LABELS


def _named(entry: Any) -> Any:
    return {"name": entry} if isinstance(entry, str) else entry


class Table(Part):
    """A conceptual table: each row becomes one series of each column, told apart by at most three labels."""

    name: str = Field(min_length=1, description="Name in the MIB; for messages.")
    index: Annotated[
        tuple[Annotated[IndexPart, BeforeValidator(_named, json_schema_input_type=str | IndexPart)], ...], Some
    ] = Field(description="Parts of the index, in order; a name alone is an integer.")
    labels: Annotated[
        tuple[Annotated[Label, BeforeValidator(_named, json_schema_input_type=str | Label)], ...], Some
    ] = Field(max_length=MAX_LABELS, description="What tells rows apart; a name alone is a part of the index.")
    rows: tuple[RowFilter, ...] = Field((), description="Conditions, all of which a row must meet.")
    walk: tuple[Oid, ...] = Field(
        (), description="Subtrees to walk whole, for agents that answer a column or a GET badly."
    )
    columns: Annotated[tuple[Value, ...], Some] = Field(
        description="What to expose. The first one that has any rows says which rows there are."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Table:
        parts, labels = [part.name for part in self.index], [label.name for label in self.labels]
        for what, names in (("index", parts), ("label", labels)):
            for name in _repeated(names):
                raise fault(f"table {self.name}: {what} '{name}' twice")
        if any(part.implied for part in self.index[:-1]):
            raise fault(f"table {self.name}: only the last part of the index can be `implied`")
        for name, known in self._references(parts, labels):
            if name not in known:
                raise fault(f"table {self.name}: '{name}' is none of {', '.join(known)}")
        for column in self.columns:
            _check_labels(column, labels)
        return self

    def _references(self, parts: list[str], labels: list[str]) -> Iterator[tuple[str, list[str]]]:
        for label in self.labels:
            yield from ((name, parts) for name in label.index)
            if label.oid is None and not label.index:
                yield label.name, parts
        for row in self.rows:
            if row.index is not None:
                yield row.index, parts
            if row.label is not None:
                yield row.label, labels


class DeviceProfile(Part):
    """One type of device, or one MIB; named by its file."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", description="The file's name without .yaml.")
    title: str = Field(min_length=1, description="What it is, for people.")
    description: str = Field("", description="Where it comes from and what is odd about it.")
    scalars: tuple[Scalar, ...] = Field((), description="Single values.")
    tables: tuple[Table, ...] = Field((), description="Tables.")

    @model_validator(mode="after")
    def _consistent(self) -> DeviceProfile:
        if not self.scalars and not self.tables:
            raise fault("a profile needs `scalars` or `tables`")
        for scalar in self.scalars:
            _check_labels(scalar, list(scalar.labels))
        single: dict[str, Scalar] = {}
        for scalar in self.scalars:
            twin = single.setdefault(scalar.name, scalar)
            if twin is not scalar and not _siblings(twin, scalar):
                raise fault(f"{scalar.name} twice: give each the same help, type and labels, with other label values")
        series = [(scalar.name, *sorted(scalar.labels.items())) for scalar in self.scalars]
        columns = [column.name for table in self.tables for column in table.columns]
        for name in _repeated([*columns, *single]):
            raise fault(f"{name} twice: a metric belongs to one table")
        for name, *labels in _repeated(series):
            raise fault(f"{name} twice with the labels {dict(labels)}")
        return self

    def __hash__(self) -> int:
        return hash((self.name, len(self.scalars), len(self.tables)))


def _siblings(one: Scalar, other: Scalar) -> bool:
    return (one.help, one.type, one.own_label, [*one.labels]) == (
        other.help,
        other.type,
        other.own_label,
        [*other.labels],
    )


def _check_labels(value: Value, labels: list[str]) -> None:
    own = value.own_label
    if own in labels:
        raise fault(f"{value.name}: the label '{own}' twice")
    if own is not None and len(labels) == MAX_LABELS:
        raise fault(f"{value.name}: with its own label '{own}' there are more than {MAX_LABELS} labels")


def _repeated(names: Iterable[Any]) -> Iterator[Any]:
    seen = set()
    for name in names:
        if name in seen:
            yield name
        seen.add(name)
