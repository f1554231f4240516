"""What every kind that reads a feed needs to know."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from collector.fields import Duration
from collector.measures import fault
from collector.mobile import Operators
from collector.model import Spec
from collector.nearest import nearest
from collector.records import Dataset, Sense
from collector.sources.spec import Source

PERIODS_OF_GRACE = 3.0


def _configured(name: str, info: ValidationInfo) -> str:
    known: Any = (info.context or {}).get("operators", ())
    ids = [operator.id for operator in known]
    if ids and name not in ids:
        meant = Operators(known).find(name)
        raise fault(f"unknown operator '{name}'" + (f"; did you mean '{meant}'?" if meant else nearest(name, ids)))
    return name


OperatorId = Annotated[str, Field(min_length=1), AfterValidator(_configured)]


class FeedSpec(Spec):
    """Where a feed is, whose it is, what it lists, and when it is too old or too short to be believed."""

    source: Source = Field(description="Where the documents are: a mapping with `url`, `folder` or `sftp`.")
    operator: OperatorId | None = Field(
        None, description="Operator whose feed it is; not needed where the rows name theirs."
    )
    dataset: Dataset = Field(description="What the rows are.")
    sense: Sense = Field(
        Sense.POSITIVE,
        description="`positive`: lists everything with its state; `negative`: lists only what does not work.",
    )
    period: Duration = Field(description="How often new data is due; after three of silence it is unknown.")
    max_age: Duration | None = Field(
        None,
        description="Oldest data to believe; default three periods. Where nothing says of when it is, data of a folder "
        "is as old as its last file.",
    )
    min_ratio: float = Field(
        0.5, ge=0, le=1, description="Share of the rows of the last good batch that a positive one must have."
    )

    @model_validator(mode="after")
    def _can_be_missed(self) -> FeedSpec:
        if self.max_age is not None and self.max_age < self.period:
            raise fault("`max_age` is less than `period`: every batch would be too old before the next is due")
        return self

    @property
    def oldest(self) -> float:
        """Age, in seconds, up to which data is believed."""
        return PERIODS_OF_GRACE * self.period if self.max_age is None else self.max_age

    @property
    def peer(self) -> str:
        """The server or the folder."""
        return self.source.peer
