"""The parts of a target's settings: which documents to fetch, and what to make of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from collector.fields import JmesPath
from collector.measures import Measure, fault
from collector.naming import MAX_LABELS, LabelName

ROOT = "root"
MAX_DEPTH = 5
_NEEDS: dict[str, tuple[str, ...]] = {
    "link-header": (),
    "next-link": ("next",),
    "cursor": ("next", "parameter"),
    "offset": ("items", "parameter"),
    "page": ("items", "parameter"),
}
_EXTRAS: dict[str, tuple[str, ...]] = {
    "cursor": ("size", "size_parameter"),
    "offset": ("size", "size_parameter", "first"),
    "page": ("size", "size_parameter", "first"),
}


class Part(BaseModel):
    """Frozen; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Paging(Part):
    """How the document goes on in further ones."""

    by: Literal["link-header", "next-link", "cursor", "offset", "page"] = Field(
        description="`link-header`: Link with rel=next (RFC 8288); `next-link`: `next` selects a URL; `cursor`: `next` "
        "selects a value for `parameter`; `offset` and `page`: `parameter` counts items or pages."
    )
    next: JmesPath | None = Field(None, description="JMESPath of the next link or cursor; null, false or '' ends.")
    parameter: str | None = Field(None, min_length=1, description="Query parameter of the cursor, offset or page.")
    items: JmesPath | None = Field(
        None,
        description="JMESPath of the list of items (`offset`, `page`): an empty page, or one shorter than `size`, "
        "is the last.",
    )
    size: int | None = Field(None, ge=1, le=100_000, description="Items of a full page.")
    size_parameter: str | None = Field(None, min_length=1, description="Query parameter that asks for `size`.")
    first: int | None = Field(None, ge=0, description="Offset of the first item (0) or number of the first page (1).")
    max_pages: int = Field(20, ge=1, le=1000, description="Most pages; more are a failure.")

    @model_validator(mode="after")
    def _consistent(self) -> Paging:
        needed, extras = _NEEDS[self.by], _EXTRAS.get(self.by, ())
        for name in ("next", "parameter", "items", "size", "size_parameter", "first"):
            given = getattr(self, name) is not None
            if given and name not in (*needed, *extras):
                raise fault(f"`{name}` is not for `by: {self.by}`")
            if not given and name in needed:
                raise fault(f"`by: {self.by}` needs `{name}`")
        if self.size_parameter is not None and self.size is None:
            raise fault("`size_parameter` needs `size`")
        return self


class Follow(Part):
    """Links of a document that lead to further ones."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$", description="What the documents are called here.")
    of: str = Field(ROOT, description="Documents that hold the links: `root`, or what another step is called.")
    links: JmesPath = Field(description="JMESPath of a link, or of a list of links.")
    optional: bool = Field(False, description="A document that is not there (404, 410) is no failure.")


class Inherited(Part):
    """A label that is the same for all rows of a document."""

    of: str = Field(description="`root`, or what a step is called: the document itself or one on the way to it.")
    value: JmesPath = Field(description="JMESPath of the label.")


class RestMetric(Measure):
    """A metric, and where to find it."""

    of: str = Field(ROOT, description="Documents to read: `root`, or what a step of `follow` is called.")
    rows: JmesPath | None = Field(None, description="JMESPath of the rows; default the document itself.")
    labels: dict[LabelName, JmesPath | Inherited] = Field(
        {}, max_length=MAX_LABELS, description="Label -> JMESPath in the row, or {of, value} of a document."
    )

    @model_validator(mode="after")
    def _selects(self) -> RestMetric:
        if self.value is None and self.type != "info":
            raise fault(f"{self.name}: `value` is missing")
        return self


Tree = dict[str, tuple[str, ...]]
"""Each name of a document -> the names on the way to it, from `root` to itself."""


def tree(steps: Iterable[Follow]) -> Tree:
    """Raises a pydantic error for a name that comes twice or is not known yet, and for too long a way."""
    ways: Tree = {ROOT: (ROOT,)}
    for step in steps:
        if step.name in ways:
            raise fault(f"the name '{step.name}' twice in `follow`")
        if step.of not in ways:
            raise fault(f"'{step.of}', which holds '{step.name}' in `follow`, is none of {', '.join(ways)}")
        ways[step.name] = (*ways[step.of], step.name)
        if len(ways[step.name]) > MAX_DEPTH + 1:
            raise fault(f"more than {MAX_DEPTH} steps in `follow` to '{step.name}'")
    return ways


def check(metrics: Iterable[RestMetric], ways: Tree) -> None:
    """Raises a pydantic error for a metric of documents that nothing leads to."""
    for metric in metrics:
        if metric.of not in ways:
            raise fault(f"{metric.name} in `metrics`: '{metric.of}' is none of {', '.join(ways)}")
        for label, source in metric.labels.items():
            if isinstance(source, Inherited) and source.of not in ways[metric.of]:
                way = ", ".join(ways[metric.of])
                raise fault(f"{metric.name} in `metrics`: label {label}: '{source.of}' is none of {way}")
