"""The operators' systems on the network: which form answers at which path, and what is wrong with it at the moment."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from collector.demo.mobile import forms
from collector.demo.mobile.air import Air
from collector.demo.mobile.counters import counters, last_period
from collector.demo.mobile.rows import Listing, Twist, listing, spoilt
from collector.demo.pages import HTML, SIMULATED, Answer
from collector.records import Technology

_LOGIN = f"""<!doctype html>
<html lang="vi"><head><meta charset="utf-8"><title>Đăng nhập</title></head>
<body><h1>Đăng nhập hệ thống</h1><form method="post"><input name="username"><input name="password" type="password">
</form><footer>{SIMULATED}</footer></body></html>
"""
OLD, NEW = frozenset({Technology.G3}), frozenset({Technology.G4, Technology.G5})
EVERY = frozenset(Technology)


@dataclass(frozen=True, slots=True)
class Counter:
    """What a path has to give: a form, filled with the stations of some technologies."""

    form: forms.Form
    technologies: Collection[Technology] = EVERY


COUNTERS = {
    "/4g/tmf-api/resourceInventory/v5/resource": Counter(forms.resources, frozenset({Technology.G4})),
    "/5g/tmf-api/resourceInventory/v5/resource": Counter(forms.resources, frozenset({Technology.G5})),
    "/tmf-api/alarmManagement/v4/alarm": Counter(forms.alarms),
    "/tram-4g-5g.csv": Counter(forms.stations_table, NEW),
    "/tram-3g.csv": Counter(forms.stations_table, OLD),
    "/pm/moi-nhat.xml": Counter(counters),
    "/collections/tram/items": Counter(forms.features),
    "/mat-song.csv": Counter(forms.outages_table),
    "/tram.xlsx": Counter(forms.stations_workbook),
}


class Desk:
    """One path of an operator's system."""

    def __init__(self, air: Air, operator: str, path: str) -> None:
        """Raises KeyError for a path that no form answers at."""
        self._air = air
        self._operator = operator
        self._counter = COUNTERS[path]
        self._twist: Twist | None = None
        self._frozen: Listing | None = None

    def spoil(self, twist: Twist | None) -> None:
        """Have it give something wrong from now on, or be well again."""
        self._twist = twist
        self._frozen = self._listing() if twist is Twist.STALE else None

    def answer(self, asked: forms.Asked) -> Answer:
        """What it says to a request."""
        if self._twist is Twist.LOGIN:
            return Answer(_LOGIN.encode(), HTML)
        return self._counter.form(spoilt(self._frozen or self._listing(), self._twist), asked)

    def _listing(self) -> Listing:
        whole = listing(self._air, self._operator, *last_period(self._air.clock()))
        wanted = self._counter.technologies
        return replace(whole, rows=[row for row in whole.rows if row.station.technology in wanted])
