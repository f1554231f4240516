"""What each simulated device answers with while nothing is wrong; devices/README.md explains the keys."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from collector.settings import SettingsError
from collector.settings.document import read
from collector.settings.source import Node

Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Store(_Part):
    """Memory: `units` of `unit` bytes, of which the share `used` is taken."""

    unit: int
    units: int = Field(lt=2**31)
    used: Share


class Volume(Store):
    """A fixed disk."""

    name: str


class Interface(_Part):
    """A port; `load` is the mean share of `mbps` in each direction."""

    name: str
    alias: str = ""
    mbps: int
    load: Share
    up: bool = True
    admin_up: bool = True


class Sensor(_Part):
    """RFC 3433: `value` in `scale` of `type`, with `precision` decimals on the wire."""

    name: str
    type: Literal[
        "other", "voltsAC", "voltsDC", "amperes", "watts", "hertz", "celsius", "percentRH", "rpm", "cmm", "truthvalue"
    ]
    scale: Literal["milli", "units", "kilo", "mega"] = "units"
    precision: int = 0
    value: bool | float


class Rectifier(_Part):
    """One rectifier module of a power plant."""

    serial: str
    amps: float
    volts: float


class _Device(_Part):
    sysname: str
    location: str


class Server(_Device):
    """A computer with net-snmp."""

    model: Literal["server"]
    cpus: int
    cpu_load: Share
    memory: Store
    swap: Store
    volumes: tuple[Volume, ...]
    interfaces: tuple[Interface, ...]


class Storage(_Device):
    """A storage array that shows its volumes as hrStorageTable."""

    model: Literal["storage"]
    volumes: tuple[Volume, ...]


class Switch(_Device):
    """A switch or a router."""

    model: Literal["switch", "router"]
    interfaces: tuple[Interface, ...]


class Ups(_Device):
    """An uninterruptible power supply, RFC 1628."""

    model: Literal["ups"]
    battery_minutes: int
    battery_percent: int
    battery_volts: float
    battery_celsius: int
    load: Share
    input_volts: tuple[int, ...]
    output_volts: tuple[int, ...]


class Sensors(_Device):
    """A box of sensors, RFC 3433."""

    model: Literal["sensor"]
    sensors: tuple[Sensor, ...]


class Plant(_Device):
    """A DC power plant of a tower: Eltek eNexus, Vertiv NetSure or Huawei SMU."""

    model: Literal["eltek", "netsure", "smu"]
    mains_volts: tuple[int, ...]
    battery_volts: float
    battery_amps: float
    battery_percent: int
    battery_minutes: int
    celsius: float
    load_amps: float
    door_open: bool
    rectifiers: tuple[Rectifier, ...]
    disabled_inputs: int = 0


Description = Annotated[Server | Storage | Switch | Ups | Sensors | Plant, Field(discriminator="model")]
DIRECTORY = Path(__file__).parent.parent / "devices"
_FILE: TypeAdapter[dict[str, Description]] = TypeAdapter(dict[str, Description])


def describe(directory: Path = DIRECTORY) -> dict[str, Description]:
    """All described devices by host. Blocks on files.

    Raises SettingsError for a file that is not YAML, pydantic's ValidationError for a wrong description.
    """
    devices: dict[str, Description] = {}
    for path in sorted(directory.glob("*.yaml")):
        document = read(path, str(path))
        if document.root is None:
            raise SettingsError(document.faults)
        described = document.root.get("devices")
        devices |= _FILE.validate_python(plain(described) if described is not None else {})
    return devices


def plain(node: Node) -> Any:
    """A node as mappings, lists and scalars."""
    if isinstance(node.value, dict):
        return {name: plain(child) for name, child in node.value.items()}
    if isinstance(node.value, Sequence) and not isinstance(node.value, str):
        return [plain(child) for child in node.value]
    return node.value
