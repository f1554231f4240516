"""What every kind needs to know that reads rows by a map."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Self

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from collector.fields import FromFile
from collector.mapping.position import check_system
from collector.mapping.rowmap import RowMap
from collector.measures import fault
from collector.mobile import Operators
from collector.places import Operator
from collector.records import Dataset, Sense
from collector.sources.feed import FeedSpec
from collector.sources.spec import HttpSource

NamedMap = Annotated[RowMap, FromFile("map", "maps", "feeds.d")]


class MappedSpec(FeedSpec):
    """A feed of rows. What they are, the map says; the target may leave it out."""

    map: NamedMap = Field(description="Map from rows to records: the name of a file in feeds.d, without .yaml.")
    dataset: Dataset = Field(
        Dataset.CELLS, description="What the rows are; default, and nothing else: what `map` says."
    )
    sense: Sense = Field(
        Sense.POSITIVE,
        description="`positive`: lists everything with its state; `negative`: lists only what does not work; default "
        "what `map` says, and `negative` for outages.",
    )

    _known: tuple[Operator, ...] = PrivateAttr(())

    @property
    def operators(self) -> Operators | None:
        """The operators that rows may name; None where none are configured."""
        return Operators(self._known) if self._known else None

    @model_validator(mode="wrap")
    @classmethod
    def _as_mapped(cls, data: Any, handler: Any, info: ValidationInfo) -> Any:
        spec = handler(data)
        given = spec.model_fields_set
        if "dataset" in given and spec.dataset is not spec.map.dataset:
            raise fault(f"the rows of map '{spec.map.name}' are {spec.map.dataset}, not {spec.dataset}")
        own = {"dataset": spec.map.dataset, "sense": spec.sense if "sense" in given else spec.map.lists}
        return spec.model_copy(update=own).knowing((info.context or {}).get("operators", ()))

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        check_system(self.map.crs)
        # A file is there whenever we look, of whatever time its data is.
        if self.map.as_of is not None and self.map.as_of.by == "answer" and not isinstance(self.source, HttpSource):
            raise fault(f"map '{self.map.name}': `as_of: {{by: answer}}` is for sources with `url`")
        return self

    def knowing(self, operators: Iterable[Operator]) -> Self:
        """This feed, once it knows the operators that its rows may name."""
        self._known = tuple(operators)
        return self
