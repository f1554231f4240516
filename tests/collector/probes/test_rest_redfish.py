"""The rest kind on a server's management controller: from the collection to the sensors of each member."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from collector.model import Outcome, Reason, Result
from collector.probes.rest import KIND
from tests.peers import Authority, leaving_nothing
from tests.pinned import check_pinned
from tests.probing import probing, values
from tests.redfish import ADMIN, ROOT, Controller, controller

CHASSIS = {"of": "chassis", "value": "Id"}
FOLLOW = [
    {"name": "chassis", "links": 'Members[]."@odata.id"'},
    {"name": "thermal", "of": "chassis", "links": 'Thermal."@odata.id"'},
    {"name": "power", "of": "chassis", "links": 'Power."@odata.id"', "optional": True},
]
METRICS: list[dict[str, Any]] = [
    {
        "name": "redfish_temperature_celsius",
        "help": "Temperature.",
        "of": "thermal",
        "rows": "Temperatures",
        "value": "ReadingCelsius",
        "labels": {"chassis": CHASSIS, "sensor": "Name"},
    },
    {
        "name": "redfish_temperature_health",
        "help": "Health of a sensor.",
        "type": "states",
        "label": "health",
        "states": ["OK", "Warning", "Critical"],
        "of": "thermal",
        "rows": "Temperatures",
        "value": "Status.Health",
        "labels": {"chassis": CHASSIS, "sensor": "Name"},
    },
    {
        "name": "redfish_power_watts",
        "help": "Power drawn.",
        "of": "power",
        "rows": "PowerControl",
        "value": "PowerConsumedWatts",
        "labels": {"chassis": CHASSIS},
    },
    {
        "name": "redfish_power_supply_health",
        "help": "Health of a power supply:",
        "map": {"OK": 0, "Warning": 1, "Critical": 2},
        "of": "power",
        "rows": "PowerSupplies",
        "value": "Status.Health",
        "labels": {"chassis": CHASSIS, "supply": "Name"},
    },
    {
        "name": "redfish_power_supply_info",
        "help": "A power supply.",
        "type": "info",
        "of": "power",
        "rows": "PowerSupplies",
        "labels": {"chassis": CHASSIS, "supply": "Name", "version": "FirmwareVersion"},
    },
    {"name": "redfish_chassis", "help": "Chassis.", "value": '"Members@odata.count"'},
]


async def ask(there: Controller, timeout: float = 2.0, **settings: Any) -> Result:
    """One run over the whole controller."""
    base = {"url": f"http://127.0.0.1:{there.port}{ROOT}", "basic_auth": ADMIN, "follow": FOLLOW, "metrics": METRICS}
    async with leaving_nothing(), probing(KIND) as prober:
        return await prober.run(timeout, **{**base, **settings})


def redfish(result: Result) -> dict[str, float]:
    """What the controller's documents became."""
    return {name: value for name, value in values(result).items() if name.startswith("redfish_")}


async def test_every_member_is_read() -> None:
    async with controller() as there:
        result = await ask(there)
    assert result.outcome is Outcome.OK, result
    assert redfish(result) == {
        "redfish_chassis": 2,
        "redfish_temperature_celsius{1U,CPU1}": 44,
        "redfish_temperature_celsius{1U,Inlet}": 25.5,
        "redfish_temperature_celsius{2U,CPU1}": 61.25,
        "redfish_temperature_celsius{2U,Inlet}": 25.5,
        **{
            f"redfish_temperature_health{{{chassis},{sensor},{health}}}": float(health == now)
            for chassis in ("1U", "2U")
            for sensor, now in (("CPU1", "OK"), ("Inlet", "Warning"), ("CPU2 (absent)", "OK"))
            for health in ("OK", "Warning", "Critical")
        },
        "redfish_power_watts{1U}": 344,
        "redfish_power_watts{2U}": 344,
        "redfish_power_supply_health{1U,PSU 1}": 2,
        "redfish_power_supply_health{2U,PSU 1}": 2,
        "redfish_power_supply_info{1U,PSU 1,1.2}": 1,
        "redfish_power_supply_info{2U,PSU 1,1.2}": 1,
    }
    seen = values(result)
    assert (seen["hatang_rest_documents"], seen["hatang_rest_rows"]) == (7, 2 * (3 + 1 + 1) + 1)
    assert (seen["hatang_rest_missing_values"], seen["hatang_rest_unreadable_values"]) == (2, 0)
    assert seen["probe_http_status_code"] == 200


async def test_help_says_what_mapped_numbers_mean() -> None:
    spec = KIND.spec.model_validate({"url": "https://bmc.example", "metrics": METRICS, "follow": FOLLOW})
    told = {metric.name: metric.help for metric in spec.declared()}
    assert told["redfish_power_supply_health"] == "Health of a power supply: 0: OK, 1: Warning, 2: Critical."


async def test_connections_are_used_again_within_a_run_and_closed_after_it() -> None:
    async with controller() as there:
        await ask(there, concurrency=2)
        assert len(there.asked) == 7
        assert len(there.connections) <= 2


@pytest.mark.parametrize("most", [1, 3])
async def test_no_more_is_asked_for_at_a_time_than_is_allowed(most: int) -> None:
    async with controller() as there:
        there.delay = 0.03
        await ask(there, concurrency=most)
        assert there.most_at_once == most


async def test_a_document_that_is_not_there_fails_unless_it_is_optional() -> None:
    async with controller() as there:
        del there.documents[f"{ROOT}/2U/Power"]
        result = await ask(there)
        assert result.outcome is Outcome.OK
        assert "redfish_power_watts{2U}" not in redfish(result)
        del there.documents[f"{ROOT}/2U/Thermal"]
        result = await ask(there)
    assert (result.outcome, result.reason, result.detail) == (Outcome.FAIL, Reason.UNEXPECTED, "status 404")
    assert redfish(result)["redfish_chassis"] == 2


async def test_a_wrong_password_stops_at_once() -> None:
    async with controller() as there:
        result = await ask(there, basic_auth={"username": "root", "password": "wrong"})
    assert (result.outcome, result.reason, result.detail) == (Outcome.FAIL, Reason.AUTH, "status 401")
    assert len(there.asked) == 1


async def test_more_documents_than_allowed_are_a_failure() -> None:
    async with controller() as there:
        assert (await ask(there, max_documents=7)).outcome is Outcome.OK
        result = await ask(there, max_documents=6)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TOO_LARGE)
    assert result.detail == "more than 6 documents"


async def test_more_rows_than_allowed_are_counted() -> None:
    async with controller() as there:
        result = await ask(there, max_rows=4, concurrency=1)
    seen = values(result)
    assert result.outcome is Outcome.OK
    assert seen["hatang_rest_rows"] == 4
    assert seen["hatang_rest_dropped_rows{limit}"] == 11 - 4


async def test_documents_that_link_to_each_other_are_asked_for_once() -> None:
    async with controller() as there:
        members = there.documents[ROOT]["Members"]
        members += members
        members.append({"@odata.id": f"{ROOT}/1U#fragment"})
        there.documents[f"{ROOT}/1U"]["Thermal"]["@odata.id"] = f"{ROOT}/2U/Thermal"
        await ask(there)
    assert len(there.asked) == len(set(there.asked)) == 6


async def test_links_never_lead_to_another_host() -> None:
    async with controller() as there, controller() as other:
        there.documents[ROOT]["Members"] = [{"@odata.id": f"http://localhost:{other.port}{ROOT}/1U"}]
        result = await ask(there)
        assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED)
        assert result.detail == "link to another host: localhost"
        result = await ask(there, allowed_redirect_hosts=["local*"])
        assert result.detail == "status 401", "the password went with us"
        assert len(other.asked) == 1


@pytest.mark.parametrize(
    ("link", "reason", "detail"),
    [
        ("ftp://127.0.0.1/", Reason.UNEXPECTED, "link to ftp:"),
        ("http://[::1", Reason.PROTOCOL, "link to what is no URL"),
        ("http://127.0.0.1:99999/", Reason.PROTOCOL, "link to what is no URL"),
    ],
)
async def test_a_link_that_leads_nowhere(link: str, reason: Reason, detail: str) -> None:
    async with controller() as there:
        there.documents[ROOT]["Members"][0]["@odata.id"] = link
        result = await ask(there)
    assert (result.outcome, result.reason, result.detail) == (Outcome.FAIL, reason, detail)


@pytest.mark.parametrize("link", [{"a": 1}, ["x"], "x" * 9000])
async def test_a_link_that_is_no_link_is_counted(link: Any) -> None:
    async with controller() as there:
        there.documents[ROOT]["Members"][0]["@odata.id"] = link
        result = await ask(there)
    seen = values(result)
    assert seen["hatang_rest_unreadable_values"] == 1
    assert "redfish_temperature_celsius{2U,CPU1}" in seen


async def test_what_was_read_before_the_time_limit_survives() -> None:
    async with controller() as there:
        there.delay = 0.12
        result = await ask(there, timeout=0.3)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TIMEOUT)
    assert redfish(result)["redfish_chassis"] == 2
    assert values(result)["hatang_rest_documents"] > 1


async def test_over_tls_everything_is_told(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with controller(authority.server("127.0.0.1")) as there:
        url = f"https://127.0.0.1:{there.port}{ROOT}"
        result = await ask(there, url=url, tls={"ca_file": str(authority.ca_file)})
        refused = await ask(there, url=url)
    assert result.outcome is Outcome.OK, result
    assert (refused.outcome, refused.reason) == (Outcome.FAIL, Reason.TLS)
    assert values(refused)["probe_ssl_verified"] == 0
    own = tuple(sample for sample in result.samples if not sample.metric.name.startswith("redfish_"))
    check_pinned(KIND, Result("t", result.outcome, result.started, result.duration, samples=own))
