"""Device profiles on their way into the targets that read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from collector.model import Target
from collector.settings import SettingsError, load, masked
from tests.configuring import with_base, write

UPS = """\
title: UPS
scalars:
  - name: upsSecondsOnBattery
    oid: 1.3.6.1.2.1.33.1.2.2.0
    help: Time on battery.
"""
DEVICE = """\
targets:
  - id: portal-ups
    system: portal
    kind: snmp
    host: ups.example
    version: 2c
    community: public
    profiles: [ups]
"""


def read_by(target: Target) -> Any:
    """The only profile of an SNMP target."""
    (profile,) = target.spec.profiles  # type: ignore[attr-defined]  # it is an snmp target
    return profile


def faults(*directories: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(directories)
    return [str(fault) for fault in caught.value.faults]


def test_a_profile_is_named_by_its_file(tmp_path: Path) -> None:
    config = load([with_base(tmp_path, devices_d__ups=UPS, targets_d__ups=DEVICE)])
    assert config.devices["ups"] is read_by(config.targets["portal-ups"])
    assert config.devices["ups"].name == "ups"
    assert config.origin("portal-ups")["profiles"] == ("[ups]", "targets.d/ups.yaml:8")
    assert "\n  profiles:\n  - ups\n" in masked(config)


def test_a_name_inside_may_only_repeat_it(tmp_path: Path) -> None:
    assert load([with_base(tmp_path, devices_d__ups="name: ups\n" + UPS)]).devices["ups"].title == "UPS"
    write(tmp_path, devices_d__ups="name: usp\n" + UPS)
    assert faults(tmp_path) == ["devices.d/ups.yaml:1:7: name: a profile is named by its file: 'ups'"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "1:1: missing key 'title'"),
        ("- title: UPS\n", "1:1: expected a mapping with title, scalars, tables"),
        (UPS + "tabels: []\n", "6:1: tabels: unknown key 'tabels'; did you mean 'tables'?"),
        (UPS.replace("oid", "oids"), "4:5: scalars[upsSecondsOnBattery].oids: unknown key 'oids'; did you mean 'oid'?"),
        (UPS + "x: {", "6:5: the file ends in the middle"),
    ],
)
def test_a_broken_profile_is_told_once(tmp_path: Path, text: str, fault: str) -> None:
    """Not again at every target that reads it; other faults of these targets are told."""
    with_base(tmp_path, devices_d__ups=text, targets_d__ups=DEVICE.replace("[ups]", "[ups, usb]") + "    prot: 1\n")
    told = faults(tmp_path)
    assert f"devices.d/ups.yaml:{fault}" in told
    assert [line for line in told if line.startswith("targets.d")] == [
        "targets.d/ups.yaml:8:21: targets[portal-ups].profiles[1]: unknown device profile 'usb'",
        "targets.d/ups.yaml:9:5: targets[portal-ups].prot: unknown key 'prot'; did you mean 'port'?",
    ]


def test_an_overlay_replaces_a_profile(tmp_path: Path) -> None:
    base = with_base(tmp_path / "base", devices_d__ups=UPS, targets_d__ups=DEVICE)
    overlay = write(tmp_path / "mine", devices_d__ups=UPS.replace("title: UPS", "title: Ours"))
    config = load([base, overlay])
    assert read_by(config.targets["portal-ups"]).title == "Ours"


def test_a_changed_profile_reaches_unchanged_targets(tmp_path: Path) -> None:
    first = load([with_base(tmp_path, devices_d__ups=UPS, devices_d__other=UPS, targets_d__ups=DEVICE)])
    assert load([tmp_path], first).devices["ups"] is first.devices["ups"]
    write(tmp_path, devices_d__other=UPS.replace("battery.", "battery, seconds."))
    second = load([tmp_path], first)
    assert second.devices["other"] != first.devices["other"]
    assert second.targets["portal-ups"] is first.targets["portal-ups"]
    write(tmp_path, devices_d__ups=UPS.replace("title: UPS", "title: Ours"))
    third = load([tmp_path], second)
    assert read_by(third.targets["portal-ups"]).title == "Ours"


def test_versions_without_secrecy_are_warned_of_once_per_file(tmp_path: Path) -> None:
    secret = DEVICE.replace("community: public", "community: !file key")
    another = secret.removeprefix("targets:\n").replace("portal-ups", "portal-two").replace("2c", "1")
    modern = (
        DEVICE.replace("portal-ups", "portal-three").replace("2c", "3").replace("community: public", "user: hatang")
    )
    with_base(tmp_path, devices_d__ups=UPS, targets_d__a=secret + another, targets_d__b=modern)
    key = tmp_path / "targets.d" / "key"
    key.write_text("mo-phong\n")
    key.chmod(0o600)
    assert [str(warning) for warning in load([tmp_path]).warnings] == [
        "targets.d/a.yaml:2:5: SNMP v1 or v2c on 2 targets: the network can read the community; prefer version 3"
    ]
