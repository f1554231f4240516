"""Whatever a configuration holds, it is loaded as written, or refused with places: nothing else happens."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.settings import Fault, SettingsError, load, masked
from collector.settings.inventory import CATEGORIES, RESERVED
from tests.configuring import BASE, write

ids = st.from_regex(r"[a-z0-9]{1,6}(-[a-z0-9]{1,4}){0,2}", fullmatch=True)
# Text that YAML 1.1 or a careless reader takes for something else is text all the same.
words = st.sampled_from(["no", "0123", "12:30:45", "2026-11-23", "null", "true", "1e3", "a: b", "- x", "!env X"])
texts = words | st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20)
labels = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: not name.startswith("__") and name not in RESERVED
)
targets = st.fixed_dictionaries(
    {
        "kind": st.just("tcp"),
        "host": st.from_regex(r"[a-z]{1,8}\.example", fullmatch=True),
        "port": st.integers(1, 65535),
    },
    optional={
        "interval": st.integers(10, 3600) | st.integers(10, 600).map("{}s".format) | st.just("1m30s"),
        "timeout": st.floats(0.001, 9.5) | st.integers(1, 9000).map("{}ms".format),
        "role": st.sampled_from(["required", "supporting"]),
        "labels": st.dictionaries(labels, texts, max_size=3),
        "note": texts,
        "ip": st.sampled_from(["ip4", "ip6", "prefer-ip4", "prefer-ip6"]),
    },
)
systems = st.fixed_dictionaries(
    {
        "name_vi": texts,
        "name_en": texts,
        "category": st.sampled_from(CATEGORIES),
        "owner": st.just("so-khcn"),
        "targets": st.dictionaries(ids, targets, max_size=3),
    },
    optional={
        "tier": st.integers(1, 4),
        "note": texts,
        "aliases": st.lists(texts, max_size=2),
        "depends_on": st.sampled_from([["portal"], [{"all": ["portal"]}], [{"any": ["portal", "portal"]}]]),
        "objective": st.floats(0.001, 1) | st.just("99.5%"),
    },
)
inventories = st.dictionaries(ids.filter(lambda name: name != "portal"), systems, min_size=1, max_size=4)


class Quoting(yaml.CSafeDumper):
    """Writes every text in quotes, so that it is text for every reader."""


Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


@contextmanager
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def with_ids(named: dict[str, Any], prefix: str = "") -> list[dict[str, Any]]:
    return [{"id": prefix + name, **rest} for name, rest in named.items()]


@given(inventories)
@settings(max_examples=50, deadline=None)
def test_what_is_written_is_loaded(inventory: dict[str, Any]) -> None:
    written = [{**system, "targets": with_ids(system["targets"], f"{system['id']}-")} for system in with_ids(inventory)]
    with directory() as path:
        text = yaml.dump({"systems": written}, Dumper=Quoting, allow_unicode=True)
        config = load([write(path, inventory_d__base=BASE, targets_d__all=text)])
        again = load([path], config)
    assert set(config.systems) == {"portal", *inventory}
    for system in written:
        loaded = config.systems[system["id"]]
        assert (loaded.name_vi, loaded.tier) == (system["name_vi"], system.get("tier"))
        for target in system["targets"]:
            found: Any = config.targets[target["id"]]
            assert (found.system, found.spec.host, found.spec.port) == (system["id"], target["host"], target["port"])
            assert dict(found.labels) == target.get("labels", {})
            assert found.timeout < found.interval
            where = config.origin(target["id"])
            assert {name for name, origin in where.items() if origin.where == "default"}.isdisjoint(target)
    assert all(again.targets[name] is target for name, target in config.targets.items())
    shown = yaml.load(masked(config), Loader=yaml.CSafeLoader)
    assert {one["id"] for one in shown["targets"]} == set(config.targets)


SAMPLE = (
    BASE
    + """\
    targets:
      - &web {id: portal-web, kind: http, url: "https://portal.example/", body_matches: ["a+"], labels: {a: b}}
      - id: portal-tcp
        kind: tcp
        host: portal.example
        port: 443
        interval: 30s
        timeout: 5s
        role: required
        confirm: 3
    depends_on: [centre, {any: [centre]}]
    objective: 99.9%
    note: *a
  - {id: centre, name_vi: "C", name_en: "C", category: data-centre, owner: so-khcn, hosting: null}
objectives:
  - {id: promise, share: 99.9%, recurring: yearly, basis: plan, act: 1/KH, systems: [portal], tiers: [1]}
  - {id: proposal, share: 0.995, basis: proposed, categories: [data-centre]}
maintenance:
  - id: night
    reason: Vá lỗi
    starts: 2026-11-28 22:00
    duration: 2h
    rrule: FREQ=MONTHLY;BYDAY=-1SA
    until: 2027-12-31
    zone: Europe/Berlin
    centres: [centre]
    labels: {a: b}
"""
).replace("    name_vi", "    aliases: &a [x]\n    name_vi", 1)
MONITOR = "defaults: {interval: 30s, http: {method: GET}}\nlimits: {in_flight: 10}\naddress_map: {a.example: ':80'}\n"
TREE: dict[str, Any] = {"monitor": yaml.safe_load(MONITOR), "targets_d__all": yaml.safe_load(SAMPLE)}


def load_or_refuse(path: Path) -> None:
    faults: tuple[Fault, ...] = ()
    try:
        load([path])
    except SettingsError as error:
        faults = error.faults or (Fault("no fault at all", 0, 0, "", ""),)
    for fault in faults:
        assert fault.line >= 1
        assert fault.column >= 1
        assert str(fault).isprintable()


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damage_is_refused_or_harmless(data: st.DataObject) -> None:
    """Any bytes in place of any part of any file."""
    contents = {"monitor.yaml": bytearray(MONITOR.encode()), "targets.d/all.yaml": bytearray(SAMPLE.encode())}
    content = contents[data.draw(st.sampled_from(sorted(contents)))]
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        piece = st.binary(max_size=4) | st.sampled_from(
            [b"\t", b"\n", b": ", b"- ", b"~", b"*a", b"&a ", b"!env ", b"[", b"{}", b"1"]
        )
        content[start : start + data.draw(st.integers(0, 6))] = data.draw(piece)
    with directory() as path:
        (path / "targets.d").mkdir()
        for name, damaged in contents.items():
            (path / name).write_bytes(damaged)
        load_or_refuse(path)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_anything_in_place_of_any_value_is_refused_or_harmless(data: st.DataObject) -> None:
    """Shapes that no reader expects: a list for a mapping, a number for a list, nothing at all."""
    tree = deepcopy(TREE)
    for _ in range(data.draw(st.integers(1, 3))):
        place: Any = tree
        while True:
            keys = sorted(place) if isinstance(place, dict) else list(range(len(place)))
            key = data.draw(st.sampled_from(keys))
            inner = place[key]
            if place is not tree and (not isinstance(inner, (dict, list)) or not inner or data.draw(st.booleans())):
                place[key] = data.draw(values)
                break
            place = inner
            if not isinstance(place, (dict, list)) or not place:
                break
    with directory() as path:
        text = {name: yaml.dump(part, Dumper=yaml.CSafeDumper, allow_unicode=True) for name, part in tree.items()}
        load_or_refuse(write(path, **text))


@given(st.integers(0, len(SAMPLE.encode())))
@settings(max_examples=100, deadline=None)
def test_a_half_written_file_never_goes_unnoticed(length: int) -> None:
    """Cut anywhere: refused, or told to have no newline at its end, or cut between two lines."""
    half = SAMPLE.encode()[:length]
    with directory() as path:
        (path / "targets.d").mkdir()
        (path / "targets.d" / "all.yaml").write_bytes(half)
        try:
            config = load([path])
        except SettingsError:
            return
    assert half in (b"", SAMPLE.encode()) or half.endswith(b"\n") or config.warnings
