"""UPS-MIB (RFC 1628): on mains, or on a battery that empties."""

from __future__ import annotations

from functools import partial

from collector.demo.agents.descriptions import Ups
from collector.demo.agents.motion import Clock, Stopwatch, Wave, age
from collector.demo.agents.tree import Tree, oid

_UPS = oid("1.3.6.1.2.1.33.1")
_BATTERY = (*_UPS, 2)
_INPUT = (*_UPS, 3)
_OUTPUT = (*_UPS, 4)
_ALARMS = (*_UPS, 6)
_ALARM_TABLE = (*_ALARMS, 2, 1)
_ALARM_ON_BATTERY, _ALARM_INPUT_BAD = (*_ALARMS, 3, 2), (*_ALARMS, 3, 6)
_NORMAL, _ON_BATTERY = 3, 5
_RATED_WATTS = 20_000


class Supply:
    """A UPS; a fault takes its mains away. The battery empties in the minutes that it says remain."""

    def __init__(self, tree: Tree, device: str, described: Ups, clock: Clock) -> None:
        self.described = described
        self._tree = tree
        self._device = device
        self.mains_lost = Stopwatch(clock)
        self.times_lost = 0
        self._clock = clock
        self._load = Wave(f"ups {device}", 100 * described.load, 0.05)

    def lose_mains(self, lost: bool) -> None:
        """Cut or restore the input."""
        self.mains_lost.set(lost)
        self.times_lost += lost
        began = age(self._device) + self._clock()
        for number, alarm in enumerate((_ALARM_ON_BATTERY, _ALARM_INPUT_BAD), start=1):
            if lost:
                self._tree.identifier((*_ALARM_TABLE, 2, number), alarm)
                self._tree.ticks((*_ALARM_TABLE, 3, number), partial(float, began))
            else:
                self._tree.drop((*_ALARM_TABLE, 2, number))
                self._tree.drop((*_ALARM_TABLE, 3, number))

    def minutes_left(self) -> int:
        """upsEstimatedMinutesRemaining."""
        return max(0, self.described.battery_minutes - int(self.mains_lost.current / 60 + self.mains_lost.running))

    def charge(self) -> int:
        """upsEstimatedChargeRemaining, percent."""
        spent = self.mains_lost.current / 60 / max(1, self.described.battery_minutes)
        return max(0, int(self.described.battery_percent * (1 - spent)))

    def load(self) -> int:
        """Percent of the rated load on each output line."""
        return int(self._load.at(self._clock()))


def add_ups(tree: Tree, device: str, described: Ups, clock: Clock) -> Supply:
    """Put the whole MIB into `tree`; returns the supply."""
    supply = Supply(tree, device, described, clock)
    _identity(tree, described)
    _battery(tree, supply)
    _lines(tree, supply)
    tree.gauge((*_ALARMS, 1, 0), lambda: 2 if supply.mains_lost.running else 0)
    return supply


def _identity(tree: Tree, described: Ups) -> None:
    words = ("Mô phỏng / simulated", "UPS 20 kVA", "1.0", "1.0", described.sysname, "")
    for column, text in enumerate(words, start=1):
        tree.text((*_UPS, 1, column, 0), text)


def _battery(tree: Tree, supply: Supply) -> None:
    lost = supply.mains_lost
    tree.integer((*_BATTERY, 1, 0), 2)
    tree.integer((*_BATTERY, 2, 0), lambda: int(lost.current))
    tree.integer((*_BATTERY, 3, 0), supply.minutes_left)
    tree.integer((*_BATTERY, 4, 0), supply.charge)
    tree.integer((*_BATTERY, 5, 0), round(supply.described.battery_volts * 10))
    tree.integer((*_BATTERY, 6, 0), lambda: 250 if lost.running else 0)
    tree.integer((*_BATTERY, 7, 0), supply.described.battery_celsius)


def _lines(tree: Tree, supply: Supply) -> None:
    described, lost = supply.described, supply.mains_lost
    tree.counter((*_INPUT, 1, 0), lambda: supply.times_lost)
    tree.integer((*_INPUT, 2, 0), len(described.input_volts))
    for line, volts in enumerate(described.input_volts, start=1):
        for column, value in ((2, 500), (3, volts), (4, 180), (5, 3000)):
            tree.integer((*_INPUT, 3, 1, column, line), partial(_unless, lost, value))
    tree.integer((*_OUTPUT, 1, 0), lambda: _ON_BATTERY if lost.running else _NORMAL)
    tree.integer((*_OUTPUT, 2, 0), 500)
    tree.integer((*_OUTPUT, 3, 0), len(described.output_volts))
    for line, volts in enumerate(described.output_volts, start=1):
        tree.integer((*_OUTPUT, 4, 1, 2, line), volts)
        tree.integer((*_OUTPUT, 4, 1, 3, line), lambda: supply.load() * 3)
        tree.integer((*_OUTPUT, 4, 1, 4, line), lambda: supply.load() * _RATED_WATTS // 300)
        tree.integer((*_OUTPUT, 4, 1, 5, line), supply.load)


def _unless(lost: Stopwatch, value: int) -> int:
    return 0 if lost.running else value
