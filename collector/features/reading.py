"""From the documents of a GeoJSON feed to a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from collector.features.collection import Extent, collection
from collector.features.geometry import Axes, Geometries
from collector.features.rows import LAT, LON, OWN, rows
from collector.mapping import RowMap, Translator, Unread
from collector.mapping.columns import Column
from collector.mapping.getting import Accessor
from collector.mapping.rowmap import WGS84, TimeFormat
from collector.mapping.translator import GEOMETRY
from collector.mobile import Operators
from collector.model import ProbeFailed, Reason
from collector.records import Batch, Dataset, Sense
from collector.selection import moment
from collector.selection.columns import Columns, plain
from collector.selection.document import parsed
from collector.sources.fetched import Fetched


@dataclass(frozen=True, slots=True)
class Form:
    """How documents are written, and the most that they may hold."""

    crs: int = WGS84
    axes: Axes = "lon-lat"
    max_features: int = 400_000
    max_values: int = 1_000_000


class GeoJsonReader:
    """Reads features as `plan` says: its columns are properties, or where it has `document`, JMESPath on them.

    Where the plan does not say where a position stands, it is the feature's point.
    """

    def __init__(
        self, plan: RowMap, sense: Sense, form: Form, operator: str | None, operators: Operators | None = None
    ) -> None:
        """Raises ValueError where nothing is known of the coordinate system."""
        self._plan, self._sense, self._form = _placed(plan), sense, form
        self._translator = Translator(self._plan, operator, operators, get=_accessor(plan))
        self._geometries = Geometries(form.crs, form.axes)

    def read(self, documents: Sequence[Fetched]) -> Batch:
        """What `documents`, the pages of a run, say. Raises ProbeFailed. Takes time: for threads."""
        extent, said = Extent(), list[Any]()
        # One after the other: what is read of a document takes many times its size.
        translation = self._translator.translate(row for each in documents for row in self._rows(each, extent, said))
        total = max((fetched.total for fetched in documents if fetched.total is not None), default=None)
        rule, times = self._plan.as_of, self._plan.times
        return Batch(
            dataset=self._plan.dataset,
            sense=self._sense,
            records=translation.records,
            as_of=moment.as_of(rule, times, said, translation.records)
            if rule is not None
            else moment.oldest(extent.stamps, TimeFormat()),
            rows=translation.rows,
            unreadable=translation.unreadable,
            faults=translation.faults,
            complete=extent.is_complete(total),
            raw=tuple((fetched.name, fetched.content) for fetched in documents),
        )

    def _rows(self, fetched: Fetched, extent: Extent, said: list[Any]) -> Iterator[dict[str, Any] | Unread]:
        """The features of a document as rows; what else it says is added to `extent` and to `said`."""
        content = parsed(fetched.content, self._form.max_values)
        page = collection(content, self._form.crs)
        extent.add(page)
        said.append(moment.said(self._plan.as_of, fetched, content))
        if extent.received > self._form.max_features:
            raise ProbeFailed(Reason.TOO_LARGE, f"more than {self._form.max_features} features")
        yield from rows(page.features, self._plan.dataset, self._geometries)


def _placed(plan: RowMap) -> RowMap:
    """`plan` with the feature's point for a position, where it names no other."""
    fields = plan.fields
    if plan.dataset not in {Dataset.CELLS, Dataset.OUTAGES} or fields.lat is not None or fields.x is not None:
        return plan
    point = {"lat": Column(column=(LAT,)), "lon": Column(column=(LON,))}
    return plan.model_copy(update={"fields": fields.model_copy(update=point)})


def _accessor(plan: RowMap) -> Accessor:
    if plan.document is None:
        return _property
    columns = Columns(name for name in plan.names if name not in OWN)
    return lambda row, name: _property(row, name) if name in OWN else columns.get(row, name)


def _property(row: Any, name: str) -> Any:
    return row.get(name) if name == GEOMETRY else plain(row.get(name))
