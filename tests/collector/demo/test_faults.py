"""The script of faults for the shipped configuration."""

from __future__ import annotations

import itertools
import re
from functools import lru_cache
from pathlib import Path

import pytest

from collector.demo.agents.descriptions import describe
from collector.demo.effects import Command, Do, Effect
from collector.demo.faults import ALL, RECOVERS, ROUND, Fault, UnknownFault, chosen, script
from collector.demo.lab import OVERLAYS
from collector.demo.shows import Show, series
from collector.demo.wiring import host_of
from collector.settings import Config, load

PROJECT = Path(__file__).parents[3]
SCENES = {"centre-isolated", "maintenance-night", "silent-river-stations", "trap-before-poll", "uplink-lost"}
MOBILE = {
    "transmission-node-down",
    "district-blackout",
    "feed-stale",
    "feed-login-page",
    "feed-cut",
    "feed-doubled",
    "feed-moved",
    "zone-on-air",
}
PROMISED = (
    SCENES
    | MOBILE
    | {
        "system-down",
        "slow",
        "wrong-content",
        "certificate-expiring",
        "certificate-expired",
        "ups-on-battery",
        "storage-filling",
        "interface-down",
        "flapping",
        "device-silent",
        "wrong-community",
        "database-full-of-connections",
        "replica-behind",
        "name-not-resolving",
    }
)
STATE = re.compile(r'hatang_system_state\{system="([^"]+)"\} == (\d)')


@lru_cache(maxsize=1)
def shipped() -> Config:
    return load([PROJECT / "config", *OVERLAYS])


def play(seed: int = 57, wanted: str | None = None) -> tuple[Fault, ...]:
    return script(shipped(), describe(), seed, chosen(wanted))


def states(fault: Fault) -> dict[str, int]:
    """What the fault says of systems."""
    found = (STATE.fullmatch(show.expression) for show in fault.shows)
    return {match[1]: int(match[2]) for match in found if match}


@pytest.mark.parametrize("seed", [1, 57, 2045])
def test_every_promised_fault_befalls_something_of_its_own(seed: int) -> None:
    faults = play(seed)
    assert {fault.id for fault in faults} == PROMISED
    apart = [fault for fault in faults if fault.id != "uplink-lost"]
    for befallen in ([target for fault in apart for target in fault.targets], [*itertools.chain(*map(states, apart))]):
        assert len(befallen) == len(set(befallen))
    for fault in faults:
        assert fault.shows
        assert fault.effects
        assert fault.name_vi != fault.name_en
    for fault in apart:
        for target in fault.targets:
            assert any(f'target="{target}"' in show.query for show in fault.shows), (
                f"{fault.id} says nothing of {target}"
            )


@pytest.mark.parametrize("seed", [1, 57, 2045])
def test_every_fault_lasts_until_it_is_confirmed(seed: int) -> None:
    run_and_scrape = 5.0 + 5.0
    for fault in play(seed):
        slowest = max(show.confirmed for show in fault.shows)
        assert fault.polled_within + run_and_scrape + slowest < fault.lasts, fault.id


def test_an_isolated_centre_makes_its_systems_unreachable_and_only_itself_down() -> None:
    for seed in range(20):
        (fault,) = play(seed, "centre-isolated")
        said, systems = states(fault), shipped().systems
        hosted = {name for name, system in systems.items() if system.hosting == fault.befalls}
        assert len(hosted) >= 20
        assert said == {fault.befalls: 0} | dict.fromkeys(hosted, 3)
        assert fault.lasts == 120
        assert not any(shipped().targets[name].kind == "icmp" for name in fault.targets)
        assert fault.shows[0].expression == f'hatang_system_state{{system="{fault.befalls}"}} == 0'


def test_a_lost_uplink_makes_systems_unknown_and_none_down() -> None:
    (fault,) = play(wanted="uplink-lost")
    assert fault.shows[0].expression == 'hatang_observer_impaired{cause="uplink"} == 1'
    assert set(states(fault).values()) == {5}
    assert len(states(fault)) > 70
    assert [show.expression for show in fault.keeps] == ["sum(hatang_system_state == bool 0) == 0"]


def test_planned_work_is_announced_for_longer_than_it_takes() -> None:
    (fault,) = play(wanted="maintenance-night")
    assert states(fault) == {fault.befalls: 4}
    announced = [effect for effect in fault.effects if effect.do is Do.ANNOUNCE]
    assert [(effect.on, effect.amount) for effect in announced] == [(fault.befalls, fault.lasts + 30)]


def test_a_system_does_not_flap_with_its_page() -> None:
    (fault,) = play(wanted="flapping")
    (page,) = fault.targets
    assert [show.query for show in fault.keeps] == [series("hatang_system_state", system=system_of(page))]
    assert fault.keeps[0].value == 1
    assert system_of(page) not in itertools.chain(*(states(one) for one in play() if one.id != "uplink-lost"))


def test_a_silent_river_shows_each_of_its_stations_and_leaves_the_other_rivers_alone() -> None:
    for seed in range(20):
        (fault,) = play(seed, "silent-river-stations")
        (target,) = fault.targets
        river = dict(shipped().targets[target].labels)["river"]
        assert states(fault) == {"iot-canh-bao-lu": 2}
        shown = {f"song/{river}/{reach}/so-lieu": reach for reach in ("thuong-luu", "ha-luu")}
        assert {show.query for show in fault.shows if "fresh" in show.query} == {
            series("hatang_mqtt_topic_fresh", target=target, topic=topic, reach=reach) for topic, reach in shown.items()
        }
        connected, well = fault.keeps
        assert connected.expression == f'hatang_mqtt_connected{{target="{target}"}} == 1'
        assert (well.value, target in well.query) == (3, False)
        assert [effect.do for effect in fault.effects] == [Do.MUTE]


def test_a_trap_is_about_a_device_that_is_polled_seldom_and_has_it_polled_at_once() -> None:
    (fault,) = play(wanted="trap-before-poll")
    (device,) = fault.targets
    assert shipped().targets[device].interval >= 30
    assert fault.polled_within == 1
    assert [effect.do for effect in fault.effects] == [Do.LINK, Do.TRAP]


def system_of(target: str) -> str:
    return shipped().targets[target].system


@pytest.mark.parametrize("seed", [1, 57, 2045])
def test_the_script_is_compressed_and_a_round_leaves_nothing_behind(seed: int) -> None:
    faults = play(seed)
    assert [fault.begins for fault in faults] == sorted(fault.begins for fault in faults)
    assert max(fault.ends for fault in faults) + RECOVERS <= ROUND
    (last,) = [fault for fault in faults if fault.id == "uplink-lost"]
    assert all(fault is last or fault.ends + RECOVERS <= last.begins for fault in faults)


@pytest.mark.parametrize("seed", [1, 57, 2045])
def test_faults_of_mobile_networks_show_in_figures_of_their_own(seed: int) -> None:
    """Stations fail by their own count, feeds by their own target, so that all may be wrong at once."""
    mobile = {fault.id: fault for fault in play(seed) if fault.id in MOBILE}
    queries = [show.query for fault in mobile.values() for show in fault.shows]
    assert len(queries) == len(set(queries))
    for name, fault in mobile.items():
        if name.startswith("feed-"):
            (target,) = fault.targets
            assert (
                f'hatang_target_failure_info{{target="{target}",reason="unexpected"}} == 1' == fault.shows[0].expression
            )
            assert any("hatang_feed_refused_total" in show.query for show in fault.shows)
            assert any("hatang_feed_records" in show.query for show in fault.keeps)
    assert 'hatang_sites{operator="op-mobifone",state="down"} >= 60' in {
        show.expression for show in mobile["transmission-node-down"].shows
    }
    assert len({fault.befalls for fault in mobile.values()}) == len(mobile)


def test_without_feeds_no_fault_is_about_mobile_networks() -> None:
    config = load([PROJECT / "config"])
    faults = {fault.id for fault in script(config, describe(), 57, None)}
    assert not faults & MOBILE
    assert "slow" in faults


def test_a_seed_says_the_same_again_and_another_something_else() -> None:
    assert play(1) == play(1)
    assert play(1) != play(2)


def test_chosen_faults_befall_what_they_befall_in_the_whole_script() -> None:
    whole = {fault.id: fault for fault in play()}
    few = play(wanted="ups-on-battery, slow")
    assert {fault.id for fault in few} == {"ups-on-battery", "slow"}
    for fault in few:
        assert fault.targets == whole[fault.id].targets
        assert fault.begins <= whole[fault.id].begins
    assert play(wanted="none") == ()


def test_an_unknown_fault_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownFault, match="no fault is called 'ups-on-batery'; did you mean 'ups-on-battery'"):
        chosen("slow,ups-on-batery")


def test_effects_name_what_the_province_will_have() -> None:
    hosts = {host_of(target) for target in shipped().targets.values()}
    for seed in range(20):
        for fault in play(seed):
            for effect in fault.effects:
                if effect.do in {Do.ANNOUNCE, Do.NODE, Do.BLACKOUT, Do.SWITCH_ON}:
                    continue  # on no host
                host = effect.on.removeprefix("https://").removeprefix("http://").split("/")[0].split(":")[0]
                assert host in hosts, effect


def test_a_command_survives_its_line() -> None:
    command = Command(7, True, Effect(Do.FILL, "kho.quangngai.example", "vol-01 Máy ảo", 0.97))
    assert Command.parse(command.line()) == command
    assert command.line().count(b"\n") == 1


@pytest.mark.parametrize(
    ("compare", "value", "holds", "not_"), [("==", 1, 1, 0), ("<", 7, 6, 7), (">", 7, 8, 7), (">=", 1, 1, 0)]
)
def test_shows_compare(compare: str, value: float, holds: float, not_: float) -> None:
    show = Show("x", compare, value)
    assert show.holds(holds)
    assert not show.holds(not_)
    assert show.expression == f"x {compare} {value}"


def test_selectors_are_escaped() -> None:
    assert series("m", a='x"y\\z\n') == 'm{a="x\\"y\\\\z\\n"}'


def test_names_are_in_both_languages() -> None:
    for happening in ALL:
        assert not happening.name_vi.isascii()
        assert happening.name_en.isascii()
