"""The configuration of Alertmanager: who gets which group of alerts, and which alert makes others needless."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dashboards.rules.receivers import Receiver, Receivers

HOURS = "working-hours"
MOST_BY_WEBHOOK = 50
Node = dict[str, Any]

# What one notification gathers: alerts of one name, and of one cause.
GROUPS = {
    "system": ["alertname", "centre"],
    "power": ["alertname", "centre", "operator"],
    "mobile": ["alertname", "operator"],
    "coverage": ["alertname", "technology"],
    "feed": ["alertname", "operator"],
    "self": ["alertname"],
    "plan": ["alertname"],
}


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While `source` fires, `targets` with the same labels `equal` tell nobody."""

    source: str
    targets: tuple[str, ...]
    equal: tuple[str, ...]
    severities: tuple[str, str] | None = None


_MOBILE = ("OperatorCommuneDown", "BtsDown", "VillageCoverageLost", "ZoneLost5G", "VillagesDownToOneSite")
_OF_SYSTEMS = (
    *("SystemDown", "SystemDegraded", "SystemUnknown", "SystemSlow", "CertificateExpires", "StationSilent"),
    *("AvailabilityBelowObjective", "StorageFullSoon", "CentreBudgetBurn"),
)
_OF_TARGETS = (
    *("DataCentreDown", *_OF_SYSTEMS, "TowerPowerLost", "TowerBatteryLow", "UpsOnBattery", "UpsBatteryLow"),
    *("ProvinceOutage", "OperatorDown", *_MOBILE, "OperatorBudgetBurn"),
    *("FeedStale", "FeedRefused", "FeedRowsUnreadable", "FeedBudgetBurn"),
)
INHIBITIONS = (
    Inhibition("ObserverImpaired", _OF_TARGETS, ("province",)),
    Inhibition("ExporterDown", (*_OF_TARGETS, "ExporterAbsent"), ("province",)),
    Inhibition("DataCentreDown", _OF_SYSTEMS, ("centre",)),
    Inhibition("ProvinceOutage", ("OperatorDown", *_MOBILE, "OperatorBudgetBurn"), ("province",)),
    Inhibition("OperatorDown", ("OperatorCommuneDown", "BtsDown", "OperatorBudgetBurn"), ("operator",)),
    # Villages have no operator: what an operator's outage costs them stands in its own text.
    Inhibition("OperatorDown", ("VillageCoverageLost", "ZoneLost5G", "VillagesDownToOneSite"), ("province",)),
    Inhibition("OperatorCommuneDown", ("BtsDown",), ("operator", "commune")),
    Inhibition("OperatorCommuneDown", ("VillageCoverageLost",), ("commune",)),
    Inhibition("TowerBatteryLow", ("TowerPowerLost",), ("target",)),
    Inhibition("UpsBatteryLow", ("UpsOnBattery",), ("target",)),
    Inhibition("VillageCoverageLost", ("VillagesDownToOneSite",), ("technology",)),
    Inhibition("CertificateExpires", ("CertificateExpires",), ("target",), ("critical", "warning")),
    Inhibition("FeedStale", ("FeedStale",), ("target",), ("critical", "warning")),
    Inhibition("FeedStale", ("FeedRefused", "FeedBudgetBurn"), ("target",)),
    Inhibition("RunsLate", ("RunsLate",), ("province",), ("critical", "warning")),
    Inhibition("VillageCoverageLost", ("VillageCoverageLost",), ("commune",), ("critical", "warning")),
    Inhibition("CentreBudgetBurn", ("CentreBudgetBurn",), ("centre",), ("critical", "warning")),
    Inhibition("OperatorBudgetBurn", ("OperatorBudgetBurn",), ("operator",), ("critical", "warning")),
)


def configuration(told: Receivers, token: str) -> Node:
    """alertmanager.yml, as plain data; `token` is the Telegram bot's."""
    made: Node = {"global": _global(told), "templates": ["templates/*.tmpl"]}
    made["time_intervals"] = [{"name": HOURS, "time_intervals": [_hours(told)]}]
    made["route"] = _root(told)
    made["inhibit_rules"] = [_inhibition(one) for one in INHIBITIONS]
    made["receivers"] = [
        {"name": "watchdog", "webhook_configs": [{"url": told.watchdog, "send_resolved": False}]},
        *(_receiver(name, one, told, token) for name, one in told.receivers.items()),
    ]
    return made


def _global(told: Receivers) -> Node:
    made: Node = {"resolve_timeout": "5m"}
    if told.mail is not None:
        made |= {
            "smtp_smarthost": told.mail.smarthost,
            "smtp_from": told.mail.sender,
            "smtp_require_tls": told.mail.tls,
        }
        if told.mail.username:
            made |= {"smtp_auth_username": told.mail.username, "smtp_auth_password_file": told.mail.password_file}
    return made


def _hours(told: Receivers) -> Node:
    hours = told.hours
    times = [{"start_time": hours.begin, "end_time": hours.end}]
    return {"location": hours.zone, "weekdays": [hours.days], "times": times}


def _root(told: Receivers) -> Node:
    timers = told.timers
    watchdog = {
        "receiver": "watchdog",
        "matchers": ['alertname="Watchdog"'],
        "group_by": ["alertname"],
        "group_wait": "0s",
        "group_interval": timers.watchdog_interval,
        "repeat_interval": timers.watchdog_repeat,
    }
    plan = {
        "receiver": told.plan,
        "matchers": ['area="plan"'],
        "group_by": GROUPS["plan"],
        "repeat_interval": timers.repeat_plan,
        "active_time_intervals": [HOURS],
    }
    tickets = _by_area({"receiver": told.tickets, "repeat_interval": timers.repeat_warning})
    if told.warnings_at == "hours":
        tickets = _at_hours(tickets)
    return {
        "receiver": told.tickets,
        "group_by": ["alertname"],
        "group_wait": timers.wait,
        "group_interval": timers.interval,
        "repeat_interval": timers.repeat_warning,
        "routes": [
            watchdog,
            plan,
            *_beside(told),
            _by_area(
                {"receiver": told.duty, "matchers": ['severity="critical"'], "repeat_interval": timers.repeat_critical}
            ),
            _at_hours(_by_area({"receiver": told.tickets, "matchers": ['severity="info"']})),
            tickets,
        ],
    }


def _beside(told: Receivers) -> Iterator[Node]:
    """Those who are told of what is theirs, beside the duty."""
    for label, whose in (("centre", told.centres), ("operator", told.operators), ("commune", told.communes)):
        for value, receiver in whose.items():
            matchers = [f'{label}="{value}"', 'severity=~"critical|warning"']
            yield _by_area({"receiver": receiver, "matchers": matchers, "continue": True})


def _by_area(node: Node) -> Node:
    areas = [{"matchers": [f'area="{area}"'], "group_by": labels} for area, labels in GROUPS.items() if area != "plan"]
    return {**node, "routes": areas}


def _at_hours(node: Node) -> Node:
    """Mute intervals are not inherited: each route says so itself."""
    routes = [{**route, "active_time_intervals": [HOURS]} for route in node["routes"]]
    return {**node, "active_time_intervals": [HOURS], "routes": routes}


def _inhibition(one: Inhibition) -> Node:
    """Both sides must have the labels: two that are missing would count as equal."""
    guards = [f'{label}!=""' for label in one.equal]
    ours, theirs = one.severities or ("", "")
    return {
        "source_matchers": [f'alertname="{one.source}"', *([f'severity="{ours}"'] if ours else []), *guards],
        "target_matchers": [
            *([f'alertname=~"{"|".join(one.targets)}"'] if one.targets else []),
            *([f'severity="{theirs}"'] if theirs else []),
            *guards,
        ],
        "equal": list(one.equal),
    }


def _receiver(name: str, one: Receiver, told: Receivers, token: str) -> Node:
    made: Node = {"name": name}
    tongue = "" if one.language == "vi" else ".en"
    if one.email:
        subject = f'{{{{ template "hatang.title{tongue}" . }}}}'
        text, html = (f'{{{{ template "hatang.{form}{tongue}" . }}}}' for form in ("mail", "html"))
        made["email_configs"] = [
            {
                "to": ", ".join(one.email),
                "headers": {"Subject": subject},
                "text": text,
                "html": html,
                "send_resolved": True,
            }
        ]
    if one.telegram is not None and told.telegram is not None:
        message = f'{{{{ template "hatang.text{tongue}" . }}}}'
        made["telegram_configs"] = [
            {
                "bot_token": token,
                "api_url": told.telegram.api,
                "chat_id": one.telegram,
                # Plain: HTML that is cut short is refused for ever.
                "message": message,
                "parse_mode": "",
                "send_resolved": True,
            }
        ]
    if one.webhook is not None:
        webhook: Node = {"url": one.webhook.url, "max_alerts": MOST_BY_WEBHOOK, "send_resolved": True}
        if one.webhook.token_file:
            webhook["http_config"] = {"authorization": {"credentials_file": one.webhook.token_file}}
        made["webhook_configs"] = [webhook]
    return made
