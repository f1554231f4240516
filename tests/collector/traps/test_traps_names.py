"""Names of notifications and of what they carry."""

from __future__ import annotations

import pytest

from collector.traps.trap import NAMES, Trap, name_of, object_name


def oid(dotted: str) -> tuple[int, ...]:
    return tuple(map(int, dotted.split(".")))


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("1.3.6.1.6.3.1.1.5.1", "coldStart"),
        ("1.3.6.1.6.3.1.1.5.2", "warmStart"),
        ("1.3.6.1.6.3.1.1.5.3", "linkDown"),
        ("1.3.6.1.6.3.1.1.5.4", "linkUp"),
        ("1.3.6.1.6.3.1.1.5.5", "authenticationFailure"),
        ("1.3.6.1.6.3.1.1.5.6", "egpNeighborLoss"),
        ("1.3.6.1.2.1.33.2.1", "upsTrapOnBattery"),
        ("1.3.6.1.2.1.33.2.2", "upsTrapTestCompleted"),
        ("1.3.6.1.2.1.33.2.3", "upsTrapAlarmEntryAdded"),
        ("1.3.6.1.2.1.33.2.4", "upsTrapAlarmEntryRemoved"),
        ("1.3.6.1.2.1.33.2.0.1", "upsTrapOnBattery"),
        ("1.3.6.1.6.3.1.1.5", "other"),
        ("1.3.6.1.6.3.1.1.5.1.0", "other"),
        ("1.3.6.1.4.1.8072.4.0.2", "other"),
    ],
)
def test_a_notification_by_its_number(number: str, name: str) -> None:
    assert name_of(oid(number)) == name
    assert name in NAMES


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("1.3.6.1.2.1.2.2.1.1.3", "ifIndex.3"),
        ("1.3.6.1.2.1.31.1.1.1.1.10101", "ifName.10101"),
        ("1.3.6.1.2.1.33.1.2.3.0", "upsEstimatedMinutesRemaining.0"),
        ("1.3.6.1.2.1.2.2.1.10.3", "1.3.6.1.2.1.2.2.1.10.3"),
        ("1.3", "1.3"),
    ],
)
def test_an_object_by_its_number(number: str, name: str) -> None:
    assert object_name(oid(number)) == name


def test_one_line_for_people() -> None:
    trap = Trap(0.0, "10.0.0.1", ("a",), "3", True, True, "1.3.6.1.4.1.8072.4.0.2", "other")
    assert str(trap) == "other (1.3.6.1.4.1.8072.4.0.2): SNMPv3 inform from 10.0.0.1, authenticated"
