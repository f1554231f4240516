"""DC power plants of towers: Eltek eNexus (SP2-MIB), Vertiv NetSure (EES-POWER-MIB), Huawei SMU (site monitor).

What the objects mean, and their scales, is in config/devices.d/.
"""

from __future__ import annotations

from collections.abc import Callable

from collector.demo.agents.descriptions import Plant
from collector.demo.agents.motion import Clock, Wave
from collector.demo.agents.tree import Number, Oid, Tree, oid

_ELTEK = oid("1.3.6.1.4.1.12148.10")
_NETSURE = oid("1.3.6.1.4.1.6302.2.1")
_SMU = oid("1.3.6.1.4.1.2011.6.164.1")
_RATED_AMPS = 50  # of one rectifier
_NORMAL, _DISABLED = 1, 4  # SP2-MIB
_MARK = "mô phỏng / simulated"


class Meter:
    """A plant's slowly moving figures, scaled to what goes over the wire."""

    def __init__(self, device: str, clock: Clock) -> None:
        self._device = device
        self._clock = clock

    def __call__(self, name: str, value: float, scale: float = 1) -> Callable[[], int]:
        """A figure around `value`, times `scale`, as an integer."""
        wave = Wave(f"{self._device} {name}", value * scale, 0.01)
        return lambda: round(wave.at(self._clock()))


def add_plant(tree: Tree, device: str, described: Plant, clock: Clock) -> None:
    """Put the plant's own MIB into `tree`."""
    add = {"eltek": _eltek, "netsure": _netsure, "smu": _smu}[described.model]
    add(tree, described, Meter(device, clock))


def _put(tree: Tree, root: Oid, values: dict[str, Number | str]) -> None:
    for place, value in values.items():
        name = (*root, *oid(place))
        if isinstance(value, str):
            tree.text(name, value)
        else:
            tree.integer(name, value)


def _failed(plant: Plant) -> int:
    return sum(volts == 0 for volts in plant.mains_volts)


def _share_used(plant: Plant) -> float:
    """Percent of the rectifiers' capacity."""
    return 100 * sum(each.amps for each in plant.rectifiers) / (_RATED_AMPS * max(1, len(plant.rectifiers)))


def _eltek(tree: Tree, plant: Plant, meter: Meter) -> None:
    amps = sum(each.amps for each in plant.rectifiers)
    system: dict[str, Number | str] = {
        "1.0": _NORMAL,
        "2.0": 1,  # powerSystemType: not a Smartpack S, so that the total below is in whole amperes
        "3.0": 3,  # powerSystemMode: float
        "5.0": plant.location,
        "6.0": f"eNexus ({_MARK})",
        "7.0": plant.rectifiers[0].serial if plant.rectifiers else "",
        "15.0": 1,  # powerSystemCurrentDecimalSetting: tenths
        "17.0": 1,  # powerSystemCapacityScale: percent
    }
    _put(tree, (*_ELTEK, 2), system)
    _put(tree, (*_ELTEK, 3), {"1.0": _NORMAL, "2.5.0": _failed(plant), "3.0": len(plant.mains_volts)})
    rectifiers: dict[str, Number | str] = {"2.5.0": meter("amps", amps), "3.5.0": meter("share", _share_used(plant))}
    _put(tree, (*_ELTEK, 5), {**rectifiers, "4.5.0": 0, "5.0": len(plant.rectifiers)})
    _put(tree, (*_ELTEK, 9), {"2.5.0": meter("load", plant.load_amps, 10), "3.0": _NORMAL})
    _eltek_battery(tree, plant, meter)
    for phase, volts in enumerate(plant.mains_volts, start=1):
        _put(tree, (*_ELTEK, 3, 4, 1), {f"2.{phase}": _NORMAL, f"6.{phase}": meter(f"phase {phase}", volts)})
    for number, each in enumerate(plant.rectifiers, start=1):
        row: dict[str, Number | str] = {
            f"2.{number}": _NORMAL,
            f"3.{number}": meter(each.serial, each.amps, 10),
            f"4.{number}": plant.mains_volts[number % len(plant.mains_volts)],
            f"5.{number}": "Flatpack2 48/2000 HE",
            f"10.{number}": each.serial,
        }
        _put(tree, (*_ELTEK, 5, 6, 1), row)
    _eltek_inputs(tree, plant)


def _eltek_battery(tree: Tree, plant: Plant, meter: Meter) -> None:
    values: dict[str, Number | str] = {
        "1.0": _NORMAL,
        "4.0": _NORMAL,
        "5.5.0": meter("battery volts", plant.battery_volts, 100),
        "6.5.0": meter("battery amps", plant.battery_amps, 10),
        "7.1.0": _NORMAL,
        "7.5.0": meter("celsius", plant.celsius),
        "8.1.0": _NORMAL,
        "8.5.0": plant.battery_minutes,
        "9.1.0": _NORMAL,
        "9.5.0": plant.battery_percent,
        "12.1.0": _DISABLED,  # no test was made: the value means nothing
        "12.5.0": 0,
        "13.1.0": _NORMAL,
        "18.3.1.2.1.1": _NORMAL,
        "18.3.1.3.1.1": "Ắc quy 1",
        "18.3.1.6.1.1": meter("celsius", plant.celsius),
    }
    _put(tree, (*_ELTEK, 10), values)


def _eltek_inputs(tree: Tree, plant: Plant) -> None:
    contacts: list[tuple[str, bool | None]] = [("Cửa tủ", plant.door_open), ("Báo khói", False)]
    contacts += [(f"Đầu vào {number}", None) for number in range(3, 3 + plant.disabled_inputs)]
    for number, (name, active) in enumerate(contacts, start=1):
        # state 3 is a major alarm; what is not wired is disabled and must not alarm
        state = _DISABLED if active is None else 3 if active else _NORMAL
        row: dict[str, Number | str] = {
            f"2.1.{number}": state,
            f"3.1.{number}": name,
            f"6.1.{number}": int(bool(active)),
        }
        _put(tree, (*_ELTEK, 11, 2, 1), row)


def _netsure(tree: Tree, plant: Plant, meter: Meter) -> None:
    milli = 1000
    lost = _failed(plant) == len(plant.mains_volts)
    values: dict[str, Number | str] = {
        "1.2.0": f"NetSure ({_MARK})",
        "1.4.0": plant.sysname,
        "2.1.0": 5 if lost else 4 if plant.door_open else 2,
        "2.2.0": meter("bus volts", plant.battery_volts, milli),
        "2.3.0": meter("load", plant.load_amps, milli),
        "2.4.0": meter("share", _share_used(plant)),
        "2.5.1.0": meter("battery volts", plant.battery_volts, milli),
        "2.5.2.0": meter("battery amps", plant.battery_amps, milli),
        "2.5.3.0": plant.battery_percent,
        "2.7.1.0": meter("celsius", plant.celsius, milli),
        "2.7.2.0": 2147483647,  # no second probe
        "2.7.3.1.2.1": meter("celsius", plant.celsius, milli),
        "2.7.3.1.3.1": "Ắc quy 1",
        "2.7.3.1.4.1": 2,
        "2.8.0": 2,
        "2.9.0": 8 if lost else 2,
        "2.11.1.0": len(plant.rectifiers),
        "2.11.2.0": len(plant.rectifiers),
        "2.11.3.0": meter("share", _share_used(plant)),
    }
    for line, volts in enumerate(plant.mains_volts, start=1):
        values[f"2.6.{line}.0"] = meter(f"phase {line}", volts, milli)
    for number, each in enumerate(plant.rectifiers, start=1):
        values |= {f"2.11.4.1.5.{number}": each.serial, f"2.11.4.1.7.{number}": f"Rectifier {number}"}
        values[f"2.11.4.1.8.{number}"] = 2
    if plant.door_open:
        values |= {"4.1.4.1": 4, "4.1.5.1": "Cửa tủ mở"}
    _put(tree, _NETSURE, values)


def _smu(tree: Tree, plant: Plant, meter: Meter) -> None:
    values: dict[str, Number | str] = {
        "1.1.2.0": f"{plant.sysname} ({_MARK})",
        "1.1.9.0": 1,
        "1.2.3.0": int(plant.door_open),
        "4.2.1.0": meter("battery amps", plant.battery_amps, 10),
        "4.2.2.0": plant.battery_minutes,
        "4.2.3.0": 1 if plant.battery_amps >= 0 else 3,
        "6.1.3.0": meter("bus volts", plant.battery_volts, 10),
        "6.1.4.0": meter("load", plant.load_amps, 10),
        "6.1.5.0": meter("watts", plant.load_amps * plant.battery_volts),
        "5.2.1.1.99.1": 3 if _failed(plant) == len(plant.mains_volts) else 1,
        "4.4.2.1.2.1": meter("battery amps", plant.battery_amps, 10),
        "4.4.2.1.3.1": plant.battery_percent * 10,
        "4.4.2.1.6.1": meter("celsius", plant.celsius, 10),
        "4.4.2.1.99.1": 1,
    }
    for column, volts in enumerate(plant.mains_volts, start=4):
        values[f"5.2.1.1.{column}.1"] = meter(f"phase {column}", volts, 10)
    for number, each in enumerate(plant.rectifiers, start=1):
        values[f"3.2.2.1.2.{number}"] = meter(each.serial, each.amps, 10)
        values[f"3.2.2.1.3.{number}"] = meter(f"{each.serial} volts", each.volts, 10)
        values[f"3.2.2.1.99.{number}"] = 1
    if plant.door_open:
        values |= {"1.2.100.1.2.1": "Cửa tủ mở", "1.2.100.1.3.1": 3}
    _put(tree, _SMU, values)
