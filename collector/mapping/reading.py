"""Reading the fields of a row, and which records the row gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from collector.mapping.columns import CellKey
from collector.mapping.converters import TOLERATED, Converter, converters
from collector.mapping.getting import Accessor, Getter, Presence, getter
from collector.mapping.rowmap import Fields, RowMap, Variant
from collector.mapping.words import Blanks, Booleans
from collector.records import CellState, Dataset

Complain: TypeAlias = Callable[[str], None]
Converters: TypeAlias = Mapping[str, Callable[[float], Converter]]


@dataclass(frozen=True, slots=True)
class Draft:
    """The values of a record that is not made yet, and how its cell is named."""

    values: dict[str, Any]
    key: CellKey | None


class _Part:
    """Reads the fields of the map, or of one of its variants."""

    def __init__(self, part: Fields, take: Callable[[Any], Getter], convert: Converters, soft: Any) -> None:
        self._soft = soft
        self._fields: list[tuple[str, Getter, Converter | None]] = []
        for name, source in part.given():
            if isinstance(source, CellKey):
                self._fields.append((name, take(source.id), None))
                if source.area is not None:
                    self._fields.append(("area", take(source.area), None))
            else:
                self._fields.append((name, take(source), convert[name](source.scale) if name in convert else None))

    def read(self, row: Any, complain: Complain) -> dict[str, Any]:
        """Values of the fields that are not blank. Raises ValueError where the row is nothing without one."""
        values: dict[str, Any] = {}
        for name, take, convert in self._fields:
            if (value := take(row)) is None:
                continue
            try:
                values[name] = value if convert is None else convert(value)
            except ValueError as error:
                if name not in self._soft:
                    raise ValueError(f"{name}: {error}") from None
                complain(f"{name}: {error}")
                values[name] = self._soft[name]
        return values


class RowReader:
    """Makes drafts of rows."""

    def __init__(self, plan: RowMap, get: Accessor) -> None:
        blanks, booleans = Blanks(plan.blanks), Booleans(plan.booleans)
        convert, soft = converters(plan), TOLERATED[plan.dataset]

        def take(column: Any) -> Getter:
            return getter(column, get, blanks)

        self._is_outage = plan.dataset is Dataset.OUTAGES
        self._key = plan.fields.cell
        self._common = _Part(plan.fields, take, convert, soft)
        self._variants = [
            (Presence(each, get, blanks, booleans), _Part(each, take, convert, soft), self._key_of(each))
            for each in plan.each
        ]

    def _key_of(self, variant: Variant) -> CellKey | None:
        return variant.cell or self._key

    def drafts(self, row: Any, complain: Complain) -> Iterator[Draft]:
        """The records that the row gives. Raises ValueError when it cannot be read."""
        common = self._common.read(row, complain)
        if not self._variants:
            yield from _by_technology(common, self._key)
        for presence, part, key in self._variants:
            unclear = (
                {} if (there := self._present(presence, row, complain)) is not None else {"state": CellState.UNKNOWN}
            )
            if there is not False:
                yield from _by_technology({**common, **part.read(row, complain), **unclear}, key)

    def _present(self, presence: Presence, row: Any, complain: Complain) -> bool | None:
        try:
            return presence(row)
        except ValueError as error:
            if not self._is_outage:
                raise ValueError(f"when: {error}") from None
            complain(f"when: {error}")
            return None


def _by_technology(values: dict[str, Any], key: CellKey | None) -> Iterator[Draft]:
    if (technologies := values.pop("technology", None)) is None:
        yield Draft(values, key)
        return
    if len(technologies) > 1 and "cell" in values and key is not None and not key.per_technology:
        raise ValueError(f"cell: {len(technologies)} technologies and one identity; is it meant `per_technology`?")
    for technology in technologies:
        yield Draft({**values, "technology": technology}, key)
