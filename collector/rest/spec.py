"""A REST target: its document, the way to more of them, and the metrics to make."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from pydantic import Field, model_validator

from collector.fields import JmesPath, Size
from collector.measures import families, fault
from collector.model import Metric
from collector.rest.access import AccessSpec, Limits
from collector.rest.shape import Follow, Paging, RestMetric, check, tree


class RestSpec(AccessSpec):
    """A document of an API, those that it leads to, and what to read from them."""

    paging: Paging | None = Field(None, description="How the document goes on in further ones; else it is one page.")
    follow: tuple[Follow, ...] = Field((), max_length=20, description="Links to follow, step by step.")
    metrics: tuple[RestMetric, ...] = Field((), max_length=200, description="Metrics to make of the documents.")
    condition: JmesPath | None = Field(None, description="JMESPath that must say `true` of the (first) document.")
    max_rows: int = Field(2000, ge=1, le=20_000, description="Most rows to read in one run; others are counted.")
    max_documents: int = Field(200, ge=1, le=2000, description="Most documents in one run; more are a failure.")
    max_total_size: Size = Field(32 * 1024**2, description="Most bytes of all documents of one run.")
    concurrency: int = Field(2, ge=1, le=16, description="Documents to ask for at a time.")

    @model_validator(mode="after")
    def _leads_somewhere(self) -> RestSpec:
        if self.method == "HEAD":
            raise fault("the answer to HEAD has no body to read")
        check(self.metrics, tree(self.follow))
        families("metrics", ((metric, tuple(metric.labels)) for metric in self.metrics))
        return self

    @property
    def limits(self) -> Limits:
        """Of one run."""
        return Limits(self.max_documents, self.max_total_size, self.concurrency)

    @property
    def implied_headers(self) -> dict[str, str]:
        """What we take, unless a header says otherwise."""
        given = any(name.lower() == "accept" for name in self.headers)
        return {} if given else {"Accept": "application/json"}

    @cached_property
    def families(self) -> Mapping[str, Metric]:
        """Families of the metrics, by name."""
        return families("metrics", ((metric, tuple(metric.labels)) for metric in self.metrics))

    def declared(self) -> tuple[Metric, ...]:
        """The families that this target makes."""
        return tuple(self.families.values())
