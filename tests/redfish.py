"""A management controller that speaks Redfish (DSP0266) on loopback, with two chassis."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import encode_basic_auth, web

from tests.http_peers import application

ADMIN = {"username": "root", "password": "calvin"}
ROOT = "/redfish/v1/Chassis"


def _temperature(chassis: str, number: int, name: str, celsius: float | None, health: str) -> dict[str, Any]:
    return {
        "@odata.id": f"{ROOT}/{chassis}/Thermal#/Temperatures/{number}",
        "MemberId": str(number),
        "Name": name,
        "ReadingCelsius": celsius,
        "UpperThresholdCritical": 90,
        "Status": {"State": "Enabled", "Health": health},
    }


def _thermal(chassis: str, celsius: float) -> dict[str, Any]:
    return {
        "@odata.id": f"{ROOT}/{chassis}/Thermal",
        "Temperatures": [
            _temperature(chassis, 0, "CPU1", celsius, "OK"),
            _temperature(chassis, 1, "Inlet", 25.5, "Warning"),
            _temperature(chassis, 2, "CPU2 (absent)", None, "OK"),
        ],
        "Fans": [{"Name": "Fan 1", "Reading": 5400, "ReadingUnits": "RPM", "Status": {"Health": "OK"}}],
    }


def _power(chassis: str) -> dict[str, Any]:
    return {
        "@odata.id": f"{ROOT}/{chassis}/Power",
        "PowerControl": [{"Name": "System", "PowerConsumedWatts": "344"}],
        "PowerSupplies": [{"Name": "PSU 1", "FirmwareVersion": "1.2", "Status": {"Health": "Critical"}}],
    }


def documents() -> dict[str, dict[str, Any]]:
    """What the controller holds, by path."""
    held: dict[str, dict[str, Any]] = {
        ROOT: {
            "Name": "Chassis Collection",
            "Members@odata.count": 2,
            "Members": [{"@odata.id": f"{ROOT}/1U"}, {"@odata.id": f"{ROOT}/2U"}],
        }
    }
    for chassis, celsius in (("1U", 44), ("2U", 61.25)):
        held[f"{ROOT}/{chassis}"] = {
            "Id": chassis,
            "Status": {"Health": "OK"},
            "Thermal": {"@odata.id": f"{ROOT}/{chassis}/Thermal"},
            "Power": {"@odata.id": f"{ROOT}/{chassis}/Power"},
        }
        held[f"{ROOT}/{chassis}/Thermal"] = _thermal(chassis, celsius)
        held[f"{ROOT}/{chassis}/Power"] = _power(chassis)
    return held


class Controller:
    """What it holds may be changed; how it was asked is kept."""

    def __init__(self) -> None:
        self.documents = documents()
        self.asked: list[str] = []
        self.connections: set[int] = set()
        self.at_once = 0
        self.most_at_once = 0
        self.delay = 0.0
        self.port = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Only to who knows the password."""
        self.asked.append(request.path)
        self.connections.add(id(request.transport))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.delay)
        self.at_once -= 1
        if request.headers.get("Authorization") != encode_basic_auth(ADMIN["username"], ADMIN["password"]):
            return web.json_response({"error": {"code": "Base.1.0.NoValidSession"}}, status=401)
        held = self.documents.get(request.path)
        return web.json_response(held) if held is not None else web.json_response({}, status=404)


@asynccontextmanager
async def controller(tls: ssl.SSLContext | None = None) -> AsyncIterator[Controller]:
    """A running controller."""
    there = Controller()
    async with application(there.answer, tls) as port:
        there.port = port
        yield there
