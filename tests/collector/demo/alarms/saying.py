"""What Alertmanager posts to a webhook, as far as it is looked at."""

from __future__ import annotations

from typing import Any


def alert(name: str, status: str = "firing", **labels: str) -> dict[str, Any]:
    """One alert of a notification; its fingerprint is made of its labels."""
    return {
        "status": status,
        "fingerprint": "-".join([name, *labels.values()]),
        "labels": {"alertname": name, **labels},
        "annotations": {"description": f"{name} xảy ra", "description_en": f"{name} happened"},
    }


def notification(*alerts: dict[str, Any], severity: str = "critical") -> dict[str, Any]:
    """One notification about them."""
    firing = any(one["status"] == "firing" for one in alerts)
    name = alerts[0]["labels"]["alertname"]
    return {
        "status": "firing" if firing else "resolved",
        "commonLabels": {"alertname": name, "severity": severity},
        "commonAnnotations": {"summary": f"Có {name}", "summary_en": f"There is {name}"},
        "alerts": list(alerts),
    }
