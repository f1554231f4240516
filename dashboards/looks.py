"""How values look: words, colours, limits, links, columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grafana_foundation_sdk.models import dashboard as model

from dashboards.palette import NOTHING, SCALES, STATES, Word
from dashboards.spec import Column, Link, Look
from dashboards.words import NO_DATA, Json, Language

Override = model.DashboardFieldConfigSourceOverrides
Property = model.DynamicConfigValue


def mappings(name: str, language: Language) -> list[model.ValueMapping]:
    """Words for the values of coded series; the last says that there is none."""
    values = {
        value: model.ValueMappingResult(text=word.text.of(language), color=word.colour.value, index=place)
        for place, (value, word) in enumerate(STATES[name].items())
    }
    nothing = model.DashboardSpecialValueMapOptions(
        match=model.SpecialValueMatch.NULL_AND_NAN, result=_result(NOTHING, language, len(values))
    )
    return [model.ValueMap(options=values), model.SpecialValueMap(options=nothing)]


def _result(word: Word, language: Language, place: int) -> model.ValueMappingResult:
    return model.ValueMappingResult(text=word.text.of(language), color=word.colour.value, index=place)


def thresholds(scale: str) -> model.ThresholdsConfig:
    """Colours from limits on."""
    steps = [model.Threshold(value=value, color=colour.value) for value, colour in SCALES[scale]]
    return model.ThresholdsConfig(mode=model.ThresholdsMode.ABSOLUTE, steps=steps)


def defaults(look: Look, language: Language, no_value: str | None) -> model.FieldConfig:
    """What holds for all values of a panel but its links, which are typed as something else: see `data_links`."""
    by_limit = look.scale is not None or look.states is not None
    mode = model.FieldColorModeId.THRESHOLDS if by_limit else model.FieldColorModeId.PALETTE_CLASSIC
    return model.FieldConfig(
        unit=look.unit,
        decimals=look.decimals,
        min_val=look.min,
        max_val=look.max,
        mappings=mappings(look.states, language) if look.states else None,
        thresholds=thresholds(look.scale or "neutral"),
        color=model.FieldColor(mode=mode),
        no_value=no_value or NO_DATA.of(language),
    )


def data_links(links: Iterable[Link], language: Language, *, table: bool) -> list[Json]:
    """Ways to other pages, with data source, time and the variables that fit what is clicked."""
    return [{"title": one.title.of(language), "url": _url(one, language, table=table)} for one in links]


def _url(link: Link, language: Language, *, table: bool) -> str:
    values = {
        variable: f"${{__data.fields.{label}}}" if table else f"${{__field.labels.{label}}}"
        for variable, label in link.set.items()
    }
    given = "".join(f"&var-{variable}={value}" for variable, value in values.items())
    return f"/d/{page_uid(link.to, language)}?${{datasource:queryparam}}&${{__url_time_range}}{given}"


def page_uid(stem: str, language: Language) -> str:
    """Stable for ever: people keep links."""
    return f"hatang-{stem}-{language.value}"


def column(one: Column, field: str, language: Language) -> Override:
    """How a column of a table looks."""
    found: dict[str, object] = {"displayName": one.title.of(language)}
    found |= _numbers(one)
    if one.states is not None:
        found["mappings"] = mappings(one.states, language)
        found["custom.cellOptions"] = {"type": "color-background", "mode": "basic"}
    if one.scale is not None:
        found["thresholds"] = thresholds(one.scale)
        found["color"] = {"mode": "thresholds"}
        found["custom.cellOptions"] = {"type": "color-text"}
    if one.bar:
        found["custom.cellOptions"] = {"type": "gauge", "mode": "basic"}
    if one.links:
        found["links"] = data_links(one.links, language, table=True)
    return override("byName", field, found)


def _numbers(one: Column) -> Mapping[str, object]:
    given = {"unit": one.unit, "decimals": one.decimals, "min": one.min, "max": one.max, "custom.width": one.width}
    return {name: value for name, value in given.items() if value is not None}


def override(matcher: str, options: str, properties: Mapping[str, object]) -> Override:
    """What holds for some fields only."""
    return Override(
        matcher=model.MatcherConfig(id_val=matcher, options=options),
        properties=[Property(id_val=name, value=value) for name, value in properties.items()],
    )
