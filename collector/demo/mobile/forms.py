"""The formats in which the operators' systems answer: each another one, as operators do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from collector.demo.mobile.rows import Listing, Row, clock_time, stamp
from collector.demo.mobile.sheet import Value, workbook
from collector.demo.pages import JSON, SIMULATED, Answer
from collector.records import CellState

CSV = "text/csv; charset=utf-8"
GEOJSON = "application/geo+json"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XML = "application/xml"
# A server gives no more than so many at once, whatever it is asked for.
LARGEST_PAGE = 500
WORDS = {CellState.ACTIVE: "Đang phát sóng", CellState.DOWN: "Mất sóng"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its address without the query, and the query."""

    address: str
    query: Mapping[str, str]

    def number(self, name: str, default: int) -> int:
        """A number of the query; the default where it is none."""
        text = self.query.get(name, "")
        return int(text) if text.isdecimal() else default


Form = Callable[[Listing, Asked], Answer]


def resources(listing: Listing, asked: Asked) -> Answer:
    """TMF639 Resource Inventory Management v5: GET /resource with offset and limit."""
    return _page([_resource(row) for row in listing.rows], asked)


def _resource(row: Row) -> dict[str, Any]:
    station = row.station
    characteristics = {
        "technology": station.technology.value,
        "site": station.site,
        "lat": row.place.lat,
        "lon": row.place.lon,
        "band": station.band,
        "height": station.mast.height,
    }
    return {
        "id": station.key,
        "category": f"Cell{station.technology}",
        "name": f"{station.key} ({SIMULATED})",
        "administrativeState": "unlocked",
        "operationalState": "disabled" if row.is_out else "enabled",
        "resourceCharacteristic": [{"name": name, "value": value} for name, value in characteristics.items()],
        "@type": "LogicalResource",
    }


def alarms(listing: Listing, asked: Asked) -> Answer:
    """TMF642 Alarm Management v4: GET /alarm, one for each station that is out."""
    return _page([_alarm(row) for row in listing.rows if row.is_out], asked)


def _alarm(row: Row) -> dict[str, Any]:
    key = row.station.key
    return {
        "id": f"alarm-{key}",
        "alarmRaisedTime": stamp(row.since or 0.0),
        "alarmType": "communicationsAlarm",
        "perceivedSeverity": "critical",
        "probableCause": "lossOfSignal",
        "state": "raised",
        "serviceAffecting": True,
        "plannedOutageIndicator": "InService",
        "alarmedObjectType": "Cell",
        "alarmedObject": {"id": key, "href": f"/tmf-api/resourceInventory/v5/resource/{key}"},
    }


def _page(items: Sequence[Any], asked: Asked) -> Answer:
    begin = asked.number("offset", 0)
    page = items[begin : begin + min(asked.number("limit", LARGEST_PAGE), LARGEST_PAGE)]
    headers = {"X-Total-Count": str(len(items)), "X-Result-Count": str(len(page))}
    return Answer(json.dumps(page, ensure_ascii=False).encode(), JSON, headers=headers)


def features(listing: Listing, asked: Asked) -> Answer:
    """OGC API Features part 1: a page of a collection, with the link to the next one."""
    begin, size = asked.number("offset", 0), min(asked.number("limit", LARGEST_PAGE), LARGEST_PAGE)
    page = listing.rows[begin : begin + size]
    links = [{"rel": "self", "type": GEOJSON, "href": f"{asked.address}?{urlencode({'limit': size, 'offset': begin})}"}]
    if begin + size < len(listing.rows):
        further = urlencode({"limit": size, "offset": begin + size})
        links.append({"rel": "next", "type": GEOJSON, "href": f"{asked.address}?{further}"})
    document = {
        "type": "FeatureCollection",
        "timeStamp": stamp(listing.at),
        "numberMatched": len(listing.rows),
        "numberReturned": len(page),
        "links": links,
        "features": [_feature(row) for row in page],
    }
    return Answer(json.dumps(document, ensure_ascii=False).encode(), GEOJSON)


def _feature(row: Row) -> dict[str, Any]:
    station = row.station
    return {
        "type": "Feature",
        "id": station.key,
        "geometry": {"type": "Point", "coordinates": [row.place.lon, row.place.lat]},
        "properties": {
            "cell_id": station.key,
            "ma_tram": station.site,
            "cong_nghe": station.technology.value,
            "bang_tan": station.band,
            "do_cao": station.mast.height,
        },
    }


def stations_table(listing: Listing, _: Asked) -> Answer:
    """CSV as Vietnamese programs write it: a title, semicolons, decimal commas, the count at the end."""
    lines = [
        f"DANH SÁCH TRẠM PHÁT SÓNG ({SIMULATED})",
        f"Thời điểm kết xuất: {clock_time(listing.at)}",
        "",
        "STT;Mã trạm;Mã ô;Công nghệ;Băng tần (MHz);Vĩ độ;Kinh độ;Độ cao (m);Trạng thái;Từ lúc",
        *(_station_line(number, row) for number, row in enumerate(listing.rows, start=1)),
        f"Tổng số: {len(listing.rows)}",
    ]
    return Answer(("\ufeff" + "\r\n".join(lines) + "\r\n").encode(), CSV)


def _station_line(number: int, row: Row) -> str:
    station = row.station
    return ";".join(
        (
            str(number),
            station.site,
            station.key,
            station.technology.value,
            str(station.band),
            f"{row.place.lat:.5f}".replace(".", ","),
            f"{row.place.lon:.5f}".replace(".", ","),
            str(station.mast.height),
            WORDS[row.state],
            clock_time(row.since) if row.since is not None else "",
        )
    )


def outages_table(listing: Listing, _: Asked) -> Answer:
    """CSV of what is out, and of nothing else; its last line tells that it is whole."""
    out = [row for row in listing.rows if row.is_out]
    lines = [
        f"Trạm mất sóng lúc {clock_time(listing.at)} ({SIMULATED})",
        "Mã trạm,Mã ô,Công nghệ,Bắt đầu,Nguyên nhân",
        *map(_outage_line, out),
        f"Hết danh sách: {len(out)}",
    ]
    return Answer(("\n".join(lines) + "\n").encode(), CSV)


def _outage_line(row: Row) -> str:
    station = row.station
    return ",".join((station.site, station.key, station.technology.value, clock_time(row.since or 0.0), "Mất sóng"))


def stations_workbook(listing: Listing, _: Asked) -> Answer:
    """A workbook as a department gets it: merged titles, empty rows, who signed it below."""
    rows: list[Sequence[Value]] = [
        (f"BẢNG TỔNG HỢP TRẠM PHÁT SÓNG ({SIMULATED})",),
        (f"Cập nhật: {clock_time(listing.at)}",),
        (),
        ("STT", "Tên trạm", "Công nghệ", "Băng tần", "Độ cao", "Vĩ độ", "Kinh độ", "Tình trạng"),
    ]
    for number, row in enumerate(listing.rows, start=1):
        station = row.station
        words = (station.site, station.technology.value, station.band, station.mast.height)
        rows.append((number, *words, row.place.lat, row.place.lon, WORDS[row.state]))
    rows += [(), ("Người lập biểu", "", "", "", "Giám đốc")]
    return Answer(workbook("Trạm", rows, ("A1:H1", "A2:H2")), XLSX)
