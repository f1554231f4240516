"""What a query is."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.words import Language, Text

# Stands in an expression or a legend for the language of the page: name_LANG is name_vi or name_en.
LANGUAGE = "LANG"


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, and what its series are called: a template of labels, or a text."""

    expr: str
    legend: str | Text = "__auto"

    def expression(self, language: Language) -> str:
        """PromQL for a page in `language`, on one line."""
        return " ".join(self.expr.replace(LANGUAGE, language.value).split())

    def name(self, language: Language) -> str:
        """The legend."""
        if isinstance(self.legend, Text):
            return self.legend.of(language)
        return self.legend.replace(LANGUAGE, language.value)


def coded(metric: str, label: str, values: tuple[str, ...], by: str, selector: str = "") -> str:
    """A series that is 1 for one value of a label, as the place of that value in `values`; one series for each `by`."""
    parts = (
        f'{place} * max by ({by}) ({metric}{{{label}="{value}"{selector}}} == 1)' for place, value in enumerate(values)
    )
    return " or ".join(parts)
