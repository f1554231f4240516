"""The script of faults for the shipped configuration."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pytest

from collector.demo.agents.descriptions import describe
from collector.demo.casting import LONGEST_INTERVAL
from collector.demo.effects import Command, Do, Effect
from collector.demo.faults import Fault, UnknownFault, chosen, script
from collector.demo.happenings import HAPPENINGS
from collector.demo.lab import OVERLAYS
from collector.demo.shows import Show, series
from collector.demo.wiring import host_of
from collector.settings import Config, load

PROJECT = Path(__file__).parents[3]
PROMISED = {
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
    "name-not-resolving",
}


@lru_cache(maxsize=1)
def shipped() -> Config:
    return load([PROJECT / "config", *OVERLAYS])


def play(seed: int = 57, wanted: str | None = None) -> tuple[Fault, ...]:
    return script(shipped().targets, describe(), seed, chosen(wanted))


@pytest.mark.parametrize("seed", [1, 57, 2045])
def test_every_promised_fault_befalls_something_of_its_own(seed: int) -> None:
    faults = play(seed)
    assert {fault.id for fault in faults} == PROMISED
    befallen = [target for fault in faults for target in fault.targets]
    assert len(befallen) == len(set(befallen))
    for fault in faults:
        assert fault.shows
        assert fault.effects
        assert fault.name_vi != fault.name_en
        for target in fault.targets:
            assert shipped().targets[target].interval <= LONGEST_INTERVAL
            assert any(f'target="{target}"' in show.query for show in fault.shows), (
                f"{fault.id} says nothing of {target}"
            )


def test_the_script_is_compressed_and_ends_within_two_minutes() -> None:
    faults = play()
    assert [fault.begins for fault in faults] == sorted(fault.begins for fault in faults)
    assert max(fault.begins + fault.lasts for fault in faults) < 100


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
    for happening in HAPPENINGS:
        assert not happening.name_vi.isascii()
        assert happening.name_en.isascii()
