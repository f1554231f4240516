"""The models of plan.yaml and observations.d: indicators, what is demanded of them, what was seen, and what is not
followed."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from collector.measures import fault
from collector.model import Basis
from collector.plan import FIGURES, Comparator, Recurring, Unit
from collector.plan.figures import CHOOSERS
from collector.records import Technology
from collector.settings.inventory import Id
from collector.settings.moments import Day
from collector.settings.monitor import Section

_PERCENT = re.compile(r"([0-9]{1,3}(?:[.,][0-9]{1,8})?) ?%")
_FRACTION = re.compile(r"([0-9]{1,9}) ?/ ?([0-9]{1,9})")


def _amount(value: object) -> float:
    if isinstance(value, str) and (match := _PERCENT.fullmatch(value)):
        return round(float(match[1].replace(",", ".")) / 100, 12)
    if isinstance(value, str) and (match := _FRACTION.fullmatch(value)) and int(match[2]):
        return int(match[1]) / int(match[2])
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PydanticCustomError("amount", "expected a number, or of a ratio 80%, 13,3% or 4/5")
    return float(value)


Amount = Annotated[
    float,
    BeforeValidator(_amount),
    Field(allow_inf_nan=False),
    WithJsonSchema(
        {"anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^({_PERCENT.pattern}|{_FRACTION.pattern})$"}]}
    ),
]
Compared = Literal[Comparator.GE, Comparator.GT, Comparator.LE, Comparator.LT, Comparator.EQ]


class DemandKeys(Section):
    """A value, and by when."""

    value: Amount = Field(description="What is to be reached; a ratio from 0 to 1, or as 99%.")
    comparator: Compared = Field(Comparator.GE, description="`ge` at least, `gt` more than, `le` at most, `lt`, `eq`.")
    due: Day | None = Field(None, description="The last day on which it may be reached.")
    recurring: Recurring | None = Field(None, description="Judged anew in each month or year, instead of `due`.")
    act: str | None = Field(None, min_length=1, description="What demands it, such as `252/KH-UBND`.")
    basis: Basis = Field(
        Basis.PROPOSED,
        description="On whose word: `law`, `plan`, `seed` (the report); `proposed` is ours, and never called official.",
    )
    confirmed: bool = Field(True, description="Whether somebody read it in the act.")


class RevisionKeys(DemandKeys):
    """What was demanded before."""

    until: Day = Field(description="The last day on which this was what is demanded.")


class GoalKeys(DemandKeys):
    """What is demanded now; a change keeps what it replaces under `revisions`."""

    revisions: tuple[RevisionKeys, ...] = Field((), description="What was demanded before, oldest first.")


class ObservedKeys(Section):
    """A value that somebody saw, or wrote, of a day."""

    date: Day = Field(description="The day that it is about.")
    value: Amount | None = Field(None, description="The value; a ratio from 0 to 1, or as 80%, 13,3% or 4/5.")
    numerator: int | None = Field(None, ge=0, description="Of a ratio: how many of them; wins over `value`.")
    denominator: int | None = Field(None, ge=1, description="Of a ratio: of how many.")
    comparator: Comparator = Field(
        Comparator.EQ, description="How exactly it was said: `gt` more than, `approx` about."
    )
    source: str = Field(min_length=1, description="Who says so: an act, a report, a name under `references`.")
    note: str | None = Field(None, description="For readers.")

    @model_validator(mode="after")
    def _whole(self) -> ObservedKeys:
        if (self.numerator is None) != (self.denominator is None):
            raise fault("`numerator` and `denominator` go together")
        share = self._share
        if self.value is None and share is None:
            raise fault("expected a `value`")
        if self.value is not None and share is not None and abs(self.value - share) > 1e-3:
            raise fault(f"`value` is not {self.numerator}/{self.denominator}")
        return self

    @property
    def _share(self) -> float | None:
        return None if self.numerator is None or self.denominator is None else self.numerator / self.denominator

    @property
    def amount(self) -> float:
        """The value, as exactly as it is given."""
        share = self._share
        return share if share is not None else self.value or 0.0


class ObservationKeys(ObservedKeys):
    """One dated line: what was seen of an indicator."""

    indicator: str = Field(description="Id of an indicator of plan.yaml.")


class FigureKeys(Section):
    """A figure that a view computes."""

    view: Literal["coverage", "systems"] = Field(description="Which view: `coverage` or `systems`.")
    name: str = Field(description="Which of its figures.")
    technology: Technology | None = Field(None, description="This technology or a better one.")
    category: str | None = Field(None, min_length=1, description="Zones, or systems, of this category.")
    objective: str | None = Field(None, description="Systems that have this objective.")
    part_of: str | None = Field(None, description="Systems that are part of this one.")

    @model_validator(mode="after")
    def _known(self) -> FigureKeys:
        choices = FIGURES[self.view]
        if self.name not in choices:
            raise fault(f"`name`: the view {self.view} has {', '.join(choices)}")
        choice = choices[self.name]
        given = {key for key in CHOOSERS if getattr(self, key) is not None}
        for key in choice.needed:
            if key not in given:
                raise fault(f"`name`: {self.name} needs {key}")
        for key in sorted(given - {*choice.needed, *choice.optional}):
            raise fault(f"`{key}` is not for {self.name}")
        return self


class MetricKeys(Section):
    """The sum over series that a target, or all targets of a system, measure."""

    name: str = Field(min_length=1, description="Name of the metric.")
    target: str | None = Field(None, description="Id of the target.")
    system: str | None = Field(None, description="Id of the system, for all of its targets.")
    labels: dict[str, str] = Field({}, description="Labels of the series, or of the target.")
    scale: float = Field(1.0, allow_inf_nan=False, description="Factor to the unit of the indicator.")

    @model_validator(mode="after")
    def _either(self) -> MetricKeys:
        if (self.target is None) == (self.system is None):
            raise fault("`name`: give one of target and system")
        return self


class IndicatorKeys(Section):
    """One measurable thing of the plan."""

    id: Id = Field(description="Stable for ever. In a later directory, the same id extends the indicator.")
    name_vi: str = Field(min_length=1, description="Vietnamese name.")
    name_en: str = Field(min_length=1, description="English name.")
    unit: Unit = Field(description="`ratio` (0 to 1), `count`, `number` or `terabyte`.")
    figure: FigureKeys | None = Field(None, description="Its value is a figure of a view.")
    metric: MetricKeys | None = Field(None, description="Its value is what targets measure.")
    feed: str | None = Field(None, min_length=1, description="Its value comes by a feed: the target's id, or `any`.")
    manual: bool = Field(False, description="Its value is what was last observed.")
    valid_to: Day | None = Field(None, description="Last day of what is history since.")
    observed: tuple[ObservedKeys, ...] = Field((), description="What was seen, with its date; see also observations.d.")
    targets: tuple[GoalKeys, ...] = Field((), description="What is demanded.")
    note: str | None = Field(None, description="For readers of the file.")


class ReferenceKeys(Section):
    """A report that observations come from."""

    id: Id = Field(description="What `source` of an observation says.")
    name_vi: str = Field(min_length=1, description="Vietnamese name, with the territory that it is about.")
    name_en: str = Field(min_length=1, description="The same in English.")


class ReportedKeys(Section):
    """A figure of the province's report: the indicator that follows it, or why none does."""

    entry: str = Field(min_length=1, description="What the report says it of.")
    metric: str = Field(min_length=1, description="Which figure.")
    indicator: str | None = Field(None, description="Id of the indicator.")
    reason: str | None = Field(None, min_length=1, description="Why there is none.")

    @model_validator(mode="after")
    def _either(self) -> ReportedKeys:
        if (self.indicator is None) == (self.reason is None):
            raise fault("`metric`: give one of indicator and reason")
        return self
