"""IoT: stations that report by themselves, and what they say."""

from __future__ import annotations

from dashboards.queries.query import Query
from dashboards.words import text

_MANY = 'system=~"$system"'

QUERIES = {
    "iot-states": Query(
        'hatang_system_state * on (system) group_left (name_LANG) hatang_system_info{category="iot-system"}',
        "{{name_LANG}}",
    ),
    "iot-stations": Query(f"count(hatang_mqtt_topic_fresh{{{_MANY}}})", text("Trạm, kênh", "Stations, topics")),
    "iot-silent": Query(f"count(hatang_mqtt_topic_fresh{{{_MANY}}} == 0) or vector(0)", text("Im lặng", "Silent")),
    "iot-heard-ratio": Query(f"avg(hatang_mqtt_topic_fresh{{{_MANY}}})", text("Có tin", "Heard")),
    "iot-topic-fresh": Query(f"min by (target, topic) (hatang_mqtt_topic_fresh{{{_MANY}}})"),
    "iot-topic-age": Query(f"time() - max by (target, topic) (hatang_mqtt_message_timestamp_seconds{{{_MANY}}})"),
    "iot-messages": Query(
        f"sum by (target) (rate(hatang_mqtt_messages_total{{{_MANY}}}[$__rate_interval]))", "{{target}}"
    ),
    "iot-dropped": Query(
        f"sum by (target) (rate(hatang_mqtt_dropped_messages_total{{{_MANY}}}[$__rate_interval]))", "{{target}}"
    ),
    "iot-results": Query(f"probe_success{{{_MANY}}}", "{{target}}"),
    "river-level": Query(f"river_level_metres{{{_MANY}}}", "{{target}} {{reach}}"),
    "river-battery": Query(f"river_station_battery_volts{{{_MANY}}}", "{{target}} {{reach}}"),
}
