"""A box of sensors: ENTITY-MIB (RFC 6933) names them, ENTITY-SENSOR-MIB (RFC 3433) reads them."""

from __future__ import annotations

from collections.abc import Sequence

from collector.demo.agents.descriptions import Sensor
from collector.demo.agents.motion import Clock, Wave
from collector.demo.agents.tree import Tree, oid

_PHYSICAL = oid("1.3.6.1.2.1.47.1.1.1.1")
_SENSOR = oid("1.3.6.1.2.1.99.1.1.1")
_CHASSIS, _SENSOR_CLASS = 3, 8
_TYPES = {
    "other": 1,
    "voltsAC": 3,
    "voltsDC": 4,
    "amperes": 5,
    "watts": 6,
    "hertz": 7,
    "celsius": 8,
    "percentRH": 9,
    "rpm": 10,
    "cmm": 11,
    "truthvalue": 12,
}
_SCALES = {"milli": 8, "units": 9, "kilo": 10, "mega": 11}
_TRUE, _FALSE = 1, 2


def add_sensors(tree: Tree, device: str, sensors: Sequence[Sensor], clock: Clock) -> None:
    """Put the box (index 1) and its sensors (from 1001) into `tree`."""
    _entity(tree, 1, _CHASSIS, device, 0)
    for index, sensor in enumerate(sensors, start=1001):
        _entity(tree, index, _SENSOR_CLASS, sensor.name, 1)
        tree.integer((*_SENSOR, 1, index), _TYPES[sensor.type])
        tree.integer((*_SENSOR, 2, index), _SCALES[sensor.scale])
        tree.integer((*_SENSOR, 3, index), sensor.precision)
        _value(tree, index, f"{device} {sensor.name}", sensor, clock)
        tree.integer((*_SENSOR, 5, index), 1)
        tree.text((*_SENSOR, 6, index), sensor.type)
        tree.ticks((*_SENSOR, 7, index), clock)
        tree.gauge((*_SENSOR, 8, index), 1000)


def _entity(tree: Tree, index: int, kind: int, name: str, inside: int) -> None:
    tree.text((*_PHYSICAL, 2, index), f"{name} (mô phỏng / simulated)")
    tree.identifier((*_PHYSICAL, 3, index), (0, 0))
    tree.integer((*_PHYSICAL, 4, index), inside)
    tree.integer((*_PHYSICAL, 5, index), kind)
    tree.integer((*_PHYSICAL, 6, index), index)
    tree.text((*_PHYSICAL, 7, index), name)


def _value(tree: Tree, index: int, name: str, sensor: Sensor, clock: Clock) -> None:
    if isinstance(sensor.value, bool):
        tree.integer((*_SENSOR, 4, index), _TRUE if sensor.value else _FALSE)
        return
    wave = Wave(name, sensor.value * 10**sensor.precision, 0.01)
    tree.integer((*_SENSOR, 4, index), lambda: round(wave.at(clock())))
