"""Targets of the kinds whose settings go deep, as people write them in YAML: what is read, and where a fault shows."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from collector.mqtt.spec import MqttSpec
from collector.rest.spec import RestSpec
from collector.settings import SettingsError, load, masked, schema
from tests.configuring import with_base

REDFISH = """\
targets:
  - id: srv01-redfish
    system: portal
    kind: rest
    url: https://10.10.1.21/redfish/v1/Chassis
    interval: 60s
    timeout: 20s
    basic_auth: {username: monitor, password: !env REDFISH_PASSWORD}
    tls: {verify: false}
    follow:
      - {name: chassis, links: 'Members[]."@odata.id"'}
      - {name: thermal, of: chassis, links: 'Thermal."@odata.id"', optional: true}
    metrics:
      - name: redfish_chassis_health
        help: Health of a chassis.
        type: states
        states: [OK, Warning, Critical]
        of: chassis
        value: Status.Health
        labels: {chassis: Id}
        label: health
      - name: redfish_temperature_celsius
        help: Temperature.
        of: thermal
        rows: Temperatures
        value: ReadingCelsius
        labels: {chassis: {of: chassis, value: Id}, sensor: Name}
  - id: lgsp-queue
    system: portal
    kind: rest
    url: https://lgsp.example/api/queues
    oauth2:
      token_url: https://id.example/token
      client_id: hatang
      client_secret: !env REDFISH_PASSWORD
      scope: queues.read
    paging: {by: offset, parameter: offset, items: items, size: 100, size_parameter: limit}
    metrics:
      - {name: lgsp_queue_ready, help: Messages waiting., rows: items, value: ready, labels: {queue: name}}
      - {name: lgsp_queue_open, help: "Open:", map: {true: 1, false: 0}, rows: items, value: o, labels: {queue: name}}
"""
RIVERS = """\
targets:
  - id: rivers
    system: portal
    kind: mqtt
    host: mqtt.quangngai.example
    tls: true
    tls_config: {ca_file: /etc/hatang/iot-ca.pem}
    version: 5
    username: hatang
    password: !env REDFISH_PASSWORD
    subscriptions:
      - topic: rivers/+river/+station/level
        max_age: 30m
        expect: [tra-khuc/cau-tra-khuc-1, ve/song-ve]
        metrics:
          - {name: river_level_metres, help: Water level., value: level_mm, scale: 0.001}
          - {name: river_battery_volts, help: Battery., value: battery.mv, scale: 0.001}
      - {topic: rivers/+river/+station/status, metrics: [{name: river_online, help: "Online:", map: {1: 1, 0: 0}}]}
"""


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDFISH_PASSWORD", "SECRET-OF-A-TEST")


def faults(directory: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load([directory])
    return [str(fault).removeprefix(f"{directory}/") for fault in caught.value.faults]


def test_what_is_read(tmp_path: Path) -> None:
    config = load([with_base(tmp_path, targets_d__redfish=REDFISH, targets_d__rivers=RIVERS)])
    server, queue, rivers = (config.targets[name].spec for name in ("srv01-redfish", "lgsp-queue", "rivers"))
    assert isinstance(server, RestSpec)
    assert isinstance(queue, RestSpec)
    assert isinstance(rivers, MqttSpec)
    assert [metric.labels for metric in server.declared()] == [("chassis", "health"), ("chassis", "sensor")]
    assert queue.metrics[1].map == {"true": 1, "false": 0}
    assert queue.oauth2 is not None
    assert queue.oauth2.client_secret.value == "SECRET-OF-A-TEST"
    assert (rivers.version, rivers.peer) == ("5", "mqtt.quangngai.example:8883")
    assert [metric.labels for metric in rivers.declared()] == [("river", "station")] * 3
    assert not config.warnings
    assert "SECRET-OF-A-TEST" not in masked(config)


def test_a_reload_that_changes_nothing_keeps_the_targets(tmp_path: Path) -> None:
    """Above all an MQTT connection: it belongs to the settings."""
    directory = with_base(tmp_path, targets_d__redfish=REDFISH, targets_d__rivers=RIVERS)
    before = load([directory])
    (directory / "targets.d" / "rivers.yaml").write_text("# changed\n" + RIVERS)
    after = load([directory], before)
    assert after.targets["rivers"].spec == before.targets["rivers"].spec
    assert hash(after.targets["rivers"].spec) == hash(before.targets["rivers"].spec)


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        (
            "redfish",
            "value: Status.Health",
            "value: Status.[",
            "19:16: metrics[redfish_chassis_health].value: bad JMES",
        ),
        (
            "redfish",
            "of: thermal",
            "of: termal",
            "14:7: metrics: redfish_temperature_celsius in `metrics`: 'termal' is none",
        ),
        ("redfish", "of: chassis, links", "of: root, link", "12:9: follow[thermal]: missing key 'links'"),
        (
            "redfish",
            "sensor: Name",
            "instance: Name",
            "27:53: metrics[redfish_temperature_celsius].labels.instance: th",
        ),
        ("redfish", "scope: queues", "scop: queues", "36:7: oauth2.scop: unknown key 'scop'; did you mean 'scope'?"),
        ("redfish", "parameter: offset, ", "", "37:13: paging: `by: offset` needs `parameter`"),
        ("rivers", "+station/level", "+station+/level", "12:16: subscriptions[0].topic: 'rivers/+river/+station+/le"),
        ("rivers", "max_age: 30m", "max_age: 30x", "13:18: subscriptions[0].max_age: expected a duration"),
        ("rivers", "ve/song-ve", "song-ve", "14:17: subscriptions[0].expect: 'song-ve' in `expect` is not river/st"),
        (
            "rivers",
            "name: river_online",
            "name: river_level_metres",
            "12:7: subscriptions: river_level_metres twi",
        ),
        ("rivers", "tls: true", "tls: yes", "6:10: tls: expected true or false"),
    ],
)
def test_a_fault_shows_where_it_stands(tmp_path: Path, file: str, old: str, new: str, fault: str) -> None:
    texts = {"redfish": REDFISH, "rivers": RIVERS}
    assert old in texts[file]
    directory = with_base(tmp_path, **{f"targets_d__{file}": texts[file].replace(old, new)})
    told = faults(directory)[0]
    assert re.sub(r"^targets\.d/\w+\.yaml:(\d+:\d+: )targets\[[\w-]+\]\.?", r"\1", told).startswith(fault), told


@pytest.mark.parametrize("text", [REDFISH, RIVERS])
def test_an_editor_finds_nothing_wrong(text: str) -> None:
    document = yaml.safe_load(text.replace("!env ", ""))
    jsonschema.validate(document, schema())
