"""What a page can be narrowed to. Prometheus is asked for the values: what is added to the inventory appears."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.queries.query import LANGUAGE
from dashboards.words import Language, Text, text


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a page: `metric` has it as `value`; people read `shown`, which sorts before `value`, if given.

    `some`: series of others have the label, too, so that all of these are not all that there are.
    """

    label: Text
    metric: str
    value: str
    shown: str | None = None
    many: bool = True
    some: bool = False

    def query(self) -> str:
        """What Grafana asks."""
        if self.shown is None:
            return f"label_values({self.metric}, {self.value})"
        return f"query_result({self.metric})"

    def pattern(self, language: Language) -> str:
        """How value and text are taken out of the answer, in which labels are sorted."""
        if self.shown is None:
            return ""
        shown = self.shown.replace(LANGUAGE, language.value)
        return f'/{shown}="(?<text>[^"]+)".*[{{,]{self.value}="(?<value>[^"]+)"/'


_SYSTEM, _CENTRE = text("Hệ thống", "System"), text("Trung tâm dữ liệu", "Data centre")
_OPERATOR = text("Nhà mạng", "Operator")

VARIABLES: dict[str, Variable] = {
    "centre": Variable(_CENTRE, 'hatang_system_info{category="data-centre"}', "system", "name_LANG"),
    "a-centre": Variable(_CENTRE, 'hatang_system_info{category="data-centre"}', "system", "name_LANG", many=False),
    "category": Variable(text("Loại", "Category"), "hatang_system_info", "category"),
    "owner": Variable(text("Chủ quản", "Owner"), "hatang_system_info", "owner"),
    "a-system": Variable(_SYSTEM, "hatang_system_info", "system", "name_LANG", many=False),
    "a-target": Variable(text("Mục tiêu", "Target"), 'hatang_target_info{system="$system"}', "target", many=True),
    "operator": Variable(_OPERATOR, 'hatang_system_info{category="mobile-operator"}', "system", "name_LANG"),
    "an-operator": Variable(
        _OPERATOR, 'hatang_system_info{category="mobile-operator"}', "system", "name_LANG", many=False
    ),
    "commune": Variable(text("Xã, phường", "Commune"), 'hatang_site_info{operator=~"$operator"}', "commune"),
    "technology": Variable(text("Công nghệ", "Technology"), "hatang_coverage_ratio", "technology"),
    "network": Variable(
        text("Mạng", "Network"), 'hatang_system_info{category="network"}', "system", "name_LANG", some=True
    ),
    "iot": Variable(
        text("Hệ thống IoT", "IoT system"),
        'hatang_system_info{category="iot-system"}',
        "system",
        "name_LANG",
        some=True,
    ),
}
# Several of the above are one variable for links and queries.
NAMES = {
    "a-centre": "centre",
    "a-system": "system",
    "a-target": "target",
    "an-operator": "operator",
    "network": "system",
    "iot": "system",
}


def variable_name(key: str) -> str:
    """What links and queries call it."""
    return NAMES.get(key, key)
