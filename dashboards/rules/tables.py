"""README.md of the rules: what is recorded, what alerts there are, what silences what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from dashboards.rules.routing import INHIBITIONS

_HEAD = """\
# Rules

Definitions are in `definitions/`, what they compare with in `thresholds.yaml`, objectives in `config/inventory.d`.
`python -m dashboards.rules build` writes `deploy/prometheus/rules`, `deploy/alertmanager/alertmanager.yml` (from
`receivers.yaml` beside it) and this page; `check` says what is not current. Runbooks: `deploy/runbooks`.

Names are level:metric:operation. A query over more than 6 hours reads recorded series. Availability is for users,
(up + degraded) / (up + degraded + down + unreachable), from the counters of seconds; `availability_owner` leaves
`unreachable` out; `observed` is the share of the window that was in any state but unknown (grey below 0.99). A ratio
without a denominator has no series. No series has the labels `job` and `instance`.
"""
_RECORDED = re.compile(r"[a-z_]+:[A-Za-z0-9_]+:[a-z0-9_]+")
_WINDOW = re.compile(r"_(5m|30m|1h|2h|6h|1d|3d|7d|30d)$")


def page(files: Mapping[str, str]) -> str:
    """The page, from the content of all files of rules."""
    groups = [group for text in files.values() for group in yaml.safe_load(text)["groups"]]
    recorded = _table(("series", "windows", "labels", "every"), _recorded(groups))
    alerts = _table(("alert", "severity", "area", "for", "what it says"), _alerts(groups))
    silenced = _table(("while this fires", "these are silent", "with the same"), _silenced())
    return f"{_HEAD}\n## Recorded series\n\n{recorded}\n\n## Alerts\n\n{alerts}\n\n## Inhibitions\n\n{silenced}\n"


def _recorded(groups: Iterable[Mapping[str, Any]]) -> list[Sequence[str]]:
    found: dict[str, tuple[list[str], str, str]] = {}
    groups = list(groups)
    own = {rule["record"]: rule for group in groups for rule in group["rules"] if "record" in rule}
    for group in groups:
        for rule in (rule for rule in group["rules"] if "record" in rule):
            name, window = _WINDOW.sub("", rule["record"]), _WINDOW.search(rule["record"])
            windows, _, _ = found.setdefault(name, ([], _labels(rule, own), group["interval"]))
            if window and window[1] not in windows:
                windows.append(window[1])
    return [(f"`{name}`", " ".join(windows), labels, every) for name, (windows, labels, every) in sorted(found.items())]


def _labels(rule: Mapping[str, Any], own: Mapping[str, Mapping[str, Any]]) -> str:
    """What an expression says it keeps at the very outside; else those of the recorded series that it reads."""
    outside = re.match(r"(?:clamp_max\(\s*)?(?:sum|max|min|avg|count)? ?by \(([^)]*)\)", rule["expr"].lstrip("(\n "))
    read = [name for name in _RECORDED.findall(rule["expr"]) if name in own and name != rule["record"]]
    if not outside and read:
        return _labels(own[read[0]], own)
    outside = outside or re.search(r"by \(([^)]*)\)", rule["expr"])
    kept = [label.strip() for label in outside[1].split(",")] if outside else []
    return ", ".join(dict.fromkeys([*filter(None, kept), *rule.get("labels", {})]))


def _alerts(groups: Iterable[Mapping[str, Any]]) -> list[Sequence[str]]:
    found: dict[str, tuple[list[str], str, str, str]] = {}
    for group in groups:
        for rule in (rule for rule in group["rules"] if "alert" in rule):
            texts, labels = rule["annotations"], rule["labels"]
            says = f"{texts['summary']} / {texts['summary_en']}"
            severities, *_ = found.setdefault(rule["alert"], ([], labels["area"], rule.get("for", "0s"), says))
            if labels["severity"] not in severities:
                severities.append(labels["severity"])
    return [
        (f"[{name}](../../deploy/runbooks/{name}.md)", ", ".join(severities), *rest)
        for name, (severities, *rest) in sorted(found.items())
    ]


def _silenced() -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for one in INHIBITIONS:
        ours, theirs = one.severities or ("", "")
        rows.append(
            (f"{one.source} {ours}".strip(), f"{', '.join(one.targets)} {theirs}".strip(), ", ".join(one.equal))
        )
    return rows


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
