"""Topic filters with names: they match what the plain filter matches, and give back what stood there."""

from __future__ import annotations

import aiomqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from collector.mqtt.topics import TopicFilter

LEVELS = st.sampled_from(["a", "b", "", "$x", "sông trà", "1"])
TOPICS = st.lists(LEVELS, min_size=1, max_size=5).map("/".join).filter(bool)
WILD = st.lists(LEVELS | st.sampled_from(["+", "+one", "+two"]), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("text", "topic", "values"),
    [
        ("stations/+station/level", "stations/ve/level", ("ve",)),
        ("stations/+station/level", "stations/ve/level/x", None),
        ("stations/+station/level", "stations/ve", None),
        ("stations/+station/level", "stations//level", ("",)),
        ("+/+b/c", "x/y/c", ("y",)),
        ("a/#", "a", ()),
        ("a/#", "a/b/c", ()),
        ("a/#rest", "a/b/c", ("b/c",)),
        ("a/#rest", "a", ("",)),
        ("#", "a/b", ()),
        ("#", "$SYS/uptime", None),
        ("+/x", "$SYS/x", None),
        ("$SYS/+what", "$SYS/uptime", ("uptime",)),
        ("/a", "a", None),
        ("/+x", "/a", ("a",)),
    ],
)
def test_matches(text: str, topic: str, values: tuple[str, ...] | None) -> None:
    assert TopicFilter(text).match(topic) == values


@given(WILD, st.booleans(), TOPICS)
def test_it_matches_what_aiomqtt_matches(levels: list[str], rest: bool, topic: str) -> None:
    text = "/".join([*levels, "#rest"] if rest else levels)
    if not text:
        return
    named = TopicFilter(text)
    values = named.match(topic)
    hidden = topic.startswith("$") and named.plain[:1] in ("+", "#")  # MQTT 5.0 section 4.7.2; aiomqtt leaves it out
    assert (values is not None) == (aiomqtt.Topic(topic).matches(named.plain) and not hidden)
    if values is not None:
        assert len(values) == len(named.labels)
        assert TopicFilter(named.filled(values)).match(topic) is not None or "" in values


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("s/+a/+b", "x/y", ("x", "y")),
        ("s/+a", "x/y", None),
        ("s/+a/#b", "x/y/z", ("x", "y/z")),
        ("s/#b", "x/y/z", ("x/y/z",)),
        ("s/+a/#b", "x", None),
        ("s/+/#", "x", None),
    ],
)
def test_values_of_a_name(text: str, name: str, values: tuple[str, ...] | None) -> None:
    if values is None:
        with pytest.raises(PydanticCustomError, match="is not"):
            TopicFilter(text).values(name)
    else:
        assert TopicFilter(text).values(name) == values
        assert "/".join(values) == name
