"""Planned work in files: what becomes a window, overlays, what is warned of, what a reload keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from collector.maintenance import Window
from collector.settings import SettingsError, load, masked
from tests.configuring import with_base, write

NIGHT = """\
maintenance:
  - id: night
    reason: Vá lỗi hệ điều hành
    starts: 2026-11-28 22:00
    ends: 2026-11-29 02:00
    systems: [portal]
"""


def windows(*directories: Path) -> tuple[Window, ...]:
    return load(directories).maintenance


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_once(tmp_path: Path) -> None:
    assert windows(with_base(tmp_path, targets_d__work=NIGHT)) == (
        Window(
            "night",
            local("2026-11-28 22:00"),
            ends=local("2026-11-29 02:00"),
            reason_vi="Vá lỗi hệ điều hành",
            systems=("portal",),
        ),
    )


def test_every_key(tmp_path: Path) -> None:
    text = """\
synthetic: true
systems:
  - {id: centre, name_vi: C, name_en: C, category: data-centre, owner: so-khcn}
maintenance:
  - id: saturdays
    reason_vi: Thử máy phát
    reason_en: Generator test
    starts: "2026-11-01T22:00:30"
    duration: 1h30m
    rrule: FREQ=MONTHLY;BYDAY=-1SA
    until: 2027-12-31
    zone: Europe/Berlin
    systems: [portal]
    centres: [centre]
    owners: [so-khcn]
    labels: {rack: a1, device: ups}
    note: Agreed with the electricity company
"""
    config = load([with_base(tmp_path, inventory_d__work=text)])
    assert config.maintenance == (
        Window(
            "saturdays",
            local("2026-11-01 22:00:30"),
            duration=5400.0,
            rule="FREQ=MONTHLY;BYDAY=-1SA",
            until=local("2027-12-31 23:59:59"),
            zone="Europe/Berlin",
            reason_vi="Thử máy phát",
            reason_en="Generator test",
            systems=("portal",),
            centres=("centre",),
            owners=("so-khcn",),
            labels=(("device", "ups"), ("rack", "a1")),
            synthetic=True,
        ),
    )
    assert config.warnings == ()
    shown = yaml.safe_load(masked(config))["maintenance"]
    assert [(one["id"], one["starts"], one["labels"]) for one in shown] == [
        ("saturdays", "2026-11-01 22:00:30", [["device", "ups"], ["rack", "a1"]])
    ]


def test_an_overlay_moves_a_window(tmp_path: Path) -> None:
    base = with_base(tmp_path / "base", targets_d__work=NIGHT)
    overlay = write(
        tmp_path / "over",
        targets_d__work='maintenance:\n  - {id: night, ends: "2026-11-29 04:00", reason_en: Patching}\n',
    )
    (night,) = windows(base)
    assert windows(base, overlay) == (replace(night, ends=local("2026-11-29 04:00"), reason_en="Patching"),)


def test_the_same_id_twice(tmp_path: Path) -> None:
    with_base(tmp_path, targets_d__work=NIGHT, targets_d__worse=NIGHT)
    with pytest.raises(SettingsError, match=r"targets.d/worse.yaml:2:9: .* first at targets.d/work.yaml:2:9"):
        load([tmp_path])


def test_what_covers_nothing_is_warned_of(tmp_path: Path) -> None:
    """It is no fault: a target that carries the label may be on its way."""
    with_base(tmp_path, targets_d__work=NIGHT.replace("systems: [portal]", "labels: {rack: a1}"))
    config = load([tmp_path])
    assert [str(warning) for warning in config.warnings] == [
        "targets.d/work.yaml:2:5: maintenance[night]: covers no system"
    ]
    web = "targets:\n  - {id: w, system: portal, kind: tcp, host: a.example, port: 1, labels: {rack: a1}}\n"
    write(tmp_path, targets_d__web=web)
    assert load([tmp_path], config).warnings == ()


def test_a_broken_file_does_not_make_a_window_wrong(tmp_path: Path) -> None:
    with_base(tmp_path, targets_d__work=NIGHT.replace("portal", "elsewhere"), targets_d__broken="systems: [")
    with pytest.raises(SettingsError) as caught:
        load([tmp_path])
    assert [fault.file for fault in caught.value.faults] == ["targets.d/broken.yaml"]


def test_no_maintenance(tmp_path: Path) -> None:
    assert windows(with_base(tmp_path, targets_d__a="maintenance:\n", targets_d__b="maintenance: []\n")) == ()
