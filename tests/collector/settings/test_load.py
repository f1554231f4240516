"""Directories to targets: layers, overlays, places of origin, and what a reload keeps."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from collector.fields import IpProtocol
from collector.model import Target
from collector.probes.http import HttpSpec
from collector.settings import Config, SettingsError, load
from collector.settings.faults import unknown
from collector.settings.validation import field_keys
from tests.configuring import BASE, with_base, write

WEB = """\
targets:
  - id: portal-web
    system: portal
    kind: http
    url: https://portal.quangngai.example/
"""


def faults(*directories: Path, previous: Config | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(directories, previous)
    assert str(caught.value).splitlines() == [str(fault) for fault in caught.value.faults]
    return [str(fault) for fault in caught.value.faults]


def settings(target: Target) -> Any:
    """What its kind knows of a target."""
    return target.spec


def test_an_empty_directory_is_a_configuration(tmp_path: Path) -> None:
    config = load(
        [write(tmp_path, monitor="", targets_d__none="", inventory_d__none="systems:\ntargets: ~\nowners: []\n")]
    )
    assert (config.owners, config.systems, config.targets, config.warnings) == ({}, {}, {}, ())
    assert config.monitor.limits.in_flight == 5000
    assert config.monitor.web.listen == "127.0.0.1:9464"


def test_no_directory(tmp_path: Path) -> None:
    assert faults(tmp_path / "nowhere") == [f"{tmp_path}/nowhere:1:1: no such directory"]


def test_what_nobody_says_has_a_default(tmp_path: Path) -> None:
    target = load([with_base(tmp_path, targets_d__web=WEB)]).targets["portal-web"]
    assert (target.interval, target.timeout, target.required, target.labels) == (30.0, 5.0, True, ())
    assert (target.confirm, target.recover) == (3, 2)
    assert (target.system, target.kind, target.synthetic) == ("portal", "http", False)


def test_a_target_wins_over_its_file_and_that_over_the_service(tmp_path: Path) -> None:
    config = load(
        [
            with_base(
                tmp_path,
                monitor="defaults:\n  interval: 1m\n  timeout: 9s\n  labels: {a: m, b: m, c: m}\n"
                "  confirm: 5\n  recover: 4\n"
                "  http:\n    ip: ip6\n    method: HEAD\n    headers: {X-A: m, X-B: m, X-C: m}\n"
                "    valid_status: [200]\n",
                targets_d__web="defaults:\n  timeout: 8s\n  labels: {b: f, c: f}\n  recover: 3\n"
                "  http: {ip: ip4, headers: {X-B: f, X-C: f}, valid_status: [204, 301]}\n"
                + WEB
                + "    timeout: 7s\n    labels: {c: t}\n    headers: {X-C: t}\n    recover: 1\n",
                targets_d__other=WEB.replace("portal-web", "portal-other"),
            )
        ]
    )
    target, other = config.targets["portal-web"], config.targets["portal-other"]
    assert (target.interval, target.timeout, target.confirm, target.recover) == (60.0, 7.0, 5, 1)
    assert (other.confirm, other.recover) == (5, 4)
    assert target.labels == (("a", "m"), ("b", "f"), ("c", "t"))
    assert settings(target).ip is IpProtocol.IP4
    assert settings(target).method == "HEAD"
    assert dict(settings(target).headers) == {"X-A": "m", "X-B": "f", "X-C": "t"}
    assert len(settings(target).valid_status) == 2
    assert (other.timeout, settings(other).ip, other.labels) == (
        9.0,
        IpProtocol.IP6,
        (("a", "m"), ("b", "m"), ("c", "m")),
    )


def test_nothing_undoes_a_default(tmp_path: Path) -> None:
    """An explicit null takes a default back, so that the kind's own holds."""
    config = load(
        [
            with_base(
                tmp_path,
                monitor='defaults: {http: {json_condition: "a"}}\n',
                targets_d__web=WEB + "    json_condition:\n",
            )
        ]
    )
    assert settings(config.targets["portal-web"]).json_condition is None


def test_each_setting_says_where_it_comes_from(tmp_path: Path) -> None:
    config = load(
        [
            with_base(
                tmp_path,
                monitor="defaults:\n  interval: 1m\n  http:\n    headers: {X-A: m}\n",
                targets_d__web="systems:\n  - id: mail\n    name_vi: Thư\n    name_en: Mail\n    category: app\n"
                "    owner: so-khcn\n    targets:\n      - id: mail-web\n        kind: http\n"
                "        url: https://mail.example/\n        headers: {X-B: t}\n        body_matches: [a, 'b: c']\n"
                "        basic_auth: {username: hatang, password: open-sesame}\n",
            )
        ]
    )
    origin = config.origin("mail-web")
    common = ["id", "system", "kind", "interval", "timeout", "confirm", "recover", "role", "labels"]
    assert list(origin)[: len(common)] == common
    assert origin["interval"] == ("1m", "monitor.yaml:2")
    assert origin["timeout"] == ("5.0", "default")
    assert origin["system"] == ("mail", "targets.d/web.yaml:2")
    assert origin["headers.X-A"] == ("m", "monitor.yaml:4")
    assert origin["headers.X-B"] == ("t", "targets.d/web.yaml:11")
    assert origin["body_matches"] == ("[a, 'b: c']", "targets.d/web.yaml:12")
    assert origin["basic_auth.username"] == ("hatang", "targets.d/web.yaml:13")
    assert origin["basic_auth.password"] == ("<secret>", "targets.d/web.yaml:13")
    assert origin["method"] == ("GET", "default")
    assert origin["tls"][1] == "default"
    with pytest.raises(KeyError):
        config.origin("mail-wbe")


def test_an_overlay_extends_the_inventory(tmp_path: Path) -> None:
    base = with_base(tmp_path / "base", monitor='address_map: {"a.example": 10.0.0.1, "b.example": 10.0.0.2}\n')
    overlay = write(
        tmp_path / "demo",
        monitor='address_map: {"b.example": ":8080"}\nweb: {listen: "[::1]:0"}\n',
        targets_d__centre="synthetic: true\ndefaults: {timeout: 1s}\n"
        "owners:\n  - {id: so-khcn, name_en: DOST}\n"
        "systems:\n  - id: portal\n    hosting: centre\n    tier: 2\n    targets:\n"
        "      - {id: portal-extra, kind: http, url: 'https://portal.example/'}\n"
        "  - {id: centre, name_vi: TTDL, name_en: Centre, category: data-centre, owner: so-khcn}\n",
    )
    write(base, targets_d__web=WEB)
    config = load([base, overlay])
    portal, centre = config.systems["portal"], config.systems["centre"]
    assert (portal.hosting, portal.tier, portal.name_en, portal.synthetic) == (
        "centre",
        2,
        "Public service portal",
        False,
    )
    assert (centre.synthetic, centre.hosting) == (True, None)
    assert (config.owners["so-khcn"].name_vi, config.owners["so-khcn"].name_en) == ("Sở KHCN", "DOST")
    assert (config.targets["portal-extra"].synthetic, config.targets["portal-extra"].timeout) == (True, 1.0)
    assert (config.targets["portal-web"].synthetic, config.targets["portal-web"].timeout) == (False, 5.0)
    assert config.monitor.address_map == {"a.example": "10.0.0.1", "b.example": ":8080"}
    assert config.origin("portal-extra")["timeout"] == ("1s", f"{overlay}/targets.d/centre.yaml:2")
    assert load([base]).systems["portal"].hosting is None


def test_a_fault_of_an_overlay_names_its_own_file(tmp_path: Path) -> None:
    base = with_base(tmp_path / "base", targets_d__web=WEB)
    overlay = write(tmp_path / "demo", targets_d__a="systems:\n  - {id: portal, tier: 9, hosting: portal}\n" + WEB)
    first = f"{base}/targets.d/web.yaml:2:9"
    assert faults(base, overlay) == [
        f"{overlay}/targets.d/a.yaml:2:24: systems[portal].tier: must be at most 4",
        f"{overlay}/targets.d/a.yaml:2:36: systems[portal].hosting: system 'portal' is no data-centre, and cannot host",
        f"{overlay}/targets.d/a.yaml:4:9: targets[portal-web].id: duplicate id 'portal-web'; first at {first}",
    ]


def test_a_broken_file_does_not_make_the_others_wrong(tmp_path: Path) -> None:
    """What stands in a file that cannot be read is not called unknown elsewhere; other faults are still told."""
    write(tmp_path, inventory_d__base=BASE + "  - {", targets_d__web=WEB + "    ip: ip5\n")
    assert faults(tmp_path) == [
        "inventory.d/base.yaml:9:6: the file ends in the middle",
        "targets.d/web.yaml:6:9: targets[portal-web].ip: unknown value 'ip5'; did you mean 'ip6'?",
    ]


def test_a_fault_of_the_defaults_is_told_once(tmp_path: Path) -> None:
    """Where it stands, not at every target that it reaches."""
    with_base(tmp_path, monitor="defaults: {timeout: 40s, http: {intervall: 9s, ip: [1]}}\n", targets_d__web=WEB)
    write(tmp_path, targets_d__more=WEB.replace("-web", "-two"))
    assert faults(tmp_path) == [
        "monitor.yaml:1:21: defaults.timeout: timeout 40s (monitor.yaml:1) must be shorter than interval 30s (default)",
        f"monitor.yaml:1:33: defaults.http.intervall: {unknown('key', 'intervall', field_keys(HttpSpec))}",
        "monitor.yaml:1:52: defaults.http.ip: expected 'ip4', 'ip6', 'prefer-ip4' or 'prefer-ip6', got a list",
    ]


def test_editors_leave_files_that_are_not_read(tmp_path: Path) -> None:
    with_base(tmp_path, targets_d__web=WEB)
    for name in (".web.yaml.swp", ".#web.yaml", "web.yaml~", "web.yaml.orig", "README.md"):
        (tmp_path / "targets.d" / name).write_text("[")
    assert set(load([tmp_path]).targets) == {"portal-web"}


def test_a_yml_file_is_told_of(tmp_path: Path) -> None:
    with_base(tmp_path)
    (tmp_path / "inventory.d" / "more.yml").write_text(WEB)
    assert [str(warning) for warning in load([tmp_path]).warnings] == [
        "inventory.d/more.yml:1:1: not read: only *.yaml files are"
    ]


class TestReload:
    """What `previous` saves, and what it must not hide."""

    def test_unchanged_files_give_the_same_objects(self, tmp_path: Path) -> None:
        first = load([with_base(tmp_path, targets_d__web=WEB)])
        second, third = load([tmp_path], first), load([tmp_path])
        assert second.targets["portal-web"] is first.targets["portal-web"]
        assert third.targets == first.targets
        assert third.targets["portal-web"] is not first.targets["portal-web"]
        assert first.hash == second.hash == third.hash

    def test_only_what_was_edited_differs(self, tmp_path: Path) -> None:
        two = WEB + WEB.replace("targets:\n", "").replace("portal-web", "portal-two")
        first = load([with_base(tmp_path, targets_d__web=two)])
        write(tmp_path, targets_d__web="# moved down\n" + two.replace("quangngai.example/", "quangngai.example/en", 1))
        second = load([tmp_path], first)
        assert second.targets["portal-two"] is first.targets["portal-two"]
        assert second.targets["portal-web"] != first.targets["portal-web"]
        assert second.origin("portal-two")["kind"].where == "targets.d/web.yaml:9"
        assert second.hash != first.hash

    def test_defaults_reach_unchanged_files(self, tmp_path: Path) -> None:
        first = load([with_base(tmp_path, targets_d__web=WEB)])
        write(tmp_path, monitor="defaults: {interval: 7s, http: {method: HEAD}}\n")
        target = load([tmp_path], first).targets["portal-web"]
        assert (target.interval, settings(target).method) == (7.0, "HEAD")

    def test_a_system_that_is_gone_is_missed(self, tmp_path: Path) -> None:
        first = load([with_base(tmp_path, targets_d__web=WEB)])
        write(tmp_path, inventory_d__base=BASE.replace("id: portal", "id: gateway"))
        assert faults(tmp_path, previous=first) == [
            "targets.d/web.yaml:3:13: targets[portal-web].system: unknown system 'portal'; known: gateway"
        ]

    def test_a_type_that_compares_equal_is_still_checked(self, tmp_path: Path) -> None:
        """1 and true are equal in Python; `max_size: true` is wrong all the same."""
        first = load([with_base(tmp_path, targets_d__web=WEB + "    max_size: 1\n")])
        write(tmp_path, targets_d__web=WEB + "    max_size: true\n")
        (fault,) = faults(tmp_path, previous=first)
        assert fault.startswith("targets.d/web.yaml:6:15: targets[portal-web].max_size: expected")

    def test_faults_are_told_again(self, tmp_path: Path) -> None:
        first = load([with_base(tmp_path)])
        write(tmp_path, targets_d__web=WEB + "    urll: x\n")
        assert faults(tmp_path, previous=first) == faults(tmp_path, previous=first) == faults(tmp_path)


def test_five_thousand_targets_are_quick(tmp_path: Path) -> None:
    """A reload is a matter of what changed, not of how much there is (in CPU time, generously)."""
    with_base(tmp_path)
    for number in range(50):
        entries = (WEB.removeprefix("targets:\n").replace("-web", f"-{number}-{one}") for one in range(100))
        write(tmp_path, **{f"targets_d__{number}": "targets:\n" + "".join(entries)})
    begun = time.process_time()
    first = load([tmp_path])
    loaded = time.process_time()
    write(tmp_path, targets_d__7=WEB.replace("-web", "-new"))
    edited = time.process_time()
    second = load([tmp_path], first)
    assert (len(first.targets), len(second.targets)) == (5000, 4901)
    assert loaded - begun < 5
    assert time.process_time() - edited < 1
