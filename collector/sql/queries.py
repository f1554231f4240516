"""What a target asks its database, and the metrics that the answer becomes: the parts of a target's settings."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from collector.fields import JmesPath
from collector.measures import fault
from collector.model import Metric, MetricType
from collector.naming import MAX_LABELS, LabelName, MetricName

MAX_ROWS = 5_000
# Endings that OpenMetrics 1.0 section 4.3 keeps for the samples of other types.
_ENDINGS = ("_total", "_created", "_bucket", "_count", "_sum", "_info")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Column(_Part):
    """A column and the metric it becomes."""

    column: str = Field(min_length=1, description="Column of the answer, as the database names it.")
    name: MetricName = Field(description="Metric. A `counter` ends in _total; start with the database's name.")
    help: str = Field(min_length=1, description="What it measures, with the unit after scaling.")
    type: Literal["gauge", "counter", "unknown"] = Field(
        "gauge", description="`unknown` for counts whose name does not end in _total."
    )
    scale: float = Field(1.0, allow_inf_nan=False, description="Factor to base units.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.type == "counter" and not self.name.endswith("_total"):
            raise fault(f"{self.name}: the name of a counter ends in _total")
        if self.type != "counter" and self.name.endswith(_ENDINGS):
            raise fault(f"{self.name}: {self.type}s do not end in {', '.join(_ENDINGS)}")
        return self


class Expectation(_Part):
    """What the answer must be like."""

    at_least: int | None = Field(None, ge=0, description="Fewest rows.")
    at_most: int | None = Field(None, ge=0, description="Most rows.")
    condition: JmesPath | None = Field(
        None,
        description="JMESPath over the list of rows, each an object by column, that must be `true`. Times are Unix "
        "seconds, intervals seconds; it sees no more than max_rows.",
    )

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.at_least is None and self.at_most is None and self.condition is None:
            raise fault("an expectation needs `at_least`, `at_most` or `condition`")
        return self


class Query(_Part):
    """One statement, run in a read-only transaction of its own."""

    name: str = Field(
        "", max_length=64, description="Value of the label `query` and the name in messages; default its number."
    )
    sql: str = Field(min_length=1, description="One statement. It is sent as it stands.")
    metrics: tuple[Column, ...] = Field((), description="Columns that become metrics.")
    labels: tuple[LabelName, ...] = Field(
        (), max_length=MAX_LABELS, description="Columns that become labels of these metrics and tell rows apart."
    )
    max_rows: int = Field(100, ge=1, le=MAX_ROWS, description="Most rows to read; what is over is dropped and counted.")
    expect: Expectation | None = Field(None, description="What the answer must be like.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for what, names in (("metric", [one.name for one in self.metrics]), ("label", list(self.labels))):
            for name in repeated(names):
                raise fault(f"the {what} '{name}' twice")
        most = self.expect.at_most if self.expect else None
        if most is not None and most > self.max_rows:
            raise fault(f"at_most {most} is over max_rows {self.max_rows}")
        least = self.expect.at_least if self.expect else None
        if least is not None and least > self.max_rows:
            raise fault(f"at_least {least} is over max_rows {self.max_rows}")
        return self

    @cached_property
    def families(self) -> tuple[Metric, ...]:
        """The metrics, in the order of `metrics`."""
        return tuple(Metric(one.name, one.help, MetricType(one.type), self.labels) for one in self.metrics)


def repeated(names: Iterable[Any]) -> list[Any]:
    """Those of the names that come again."""
    seen: set[Any] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]


def check_together(queries: tuple[Query, ...]) -> None:
    """Raises a pydantic error when two queries have the same name, or say different things of one metric."""
    for name in repeated(query.name or str(number) for number, query in enumerate(queries, 1)):
        raise fault(f"two queries are called '{name}'")
    families: dict[str, Metric] = {}
    for query in queries:
        for family in query.families:
            if families.setdefault(family.name, family) != family:
                raise fault(f"{family.name} twice: give it the same help, type and labels in each query")
