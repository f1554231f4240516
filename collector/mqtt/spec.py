"""An MQTT target: a broker, who we are to it, and which topics become which metrics."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from collector.fields import Address, Duration, Host, IpProtocol, Port, Secret, Size, Tls
from collector.measures import Measure, families, fault
from collector.model import Metric, Spec
from collector.mqtt.topics import Topic, TopicFilter

TOPIC_LABEL = "topic"


class Subscription(BaseModel):
    """Topics, what their messages become, and how often they must come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: Topic = Field(
        description="Topic filter; `+name` and a final `#name` become labels, as in stations/+station/level."
    )
    metrics: tuple[Measure, ...] = Field(
        (),
        max_length=50,
        description="Metrics to make of a message: of JSON where they have a `value`, else of the payload itself.",
    )
    max_age: Duration | None = Field(
        None, description="How old the last message may be; without, silence is no failure."
    )
    expect: Literal["learned"] | tuple[str, ...] = Field(
        (),
        max_length=10_000,
        description="Whose messages must not be older, by their labels (joined by `/`); `learned`: of all that were "
        "heard since we began to listen, which a restart does anew; without, it is enough that one of them is heard.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Subscription:
        if self.expect and self.max_age is None:
            raise fault("`expect` needs `max_age`")
        if TOPIC_LABEL in self.filter.labels:
            raise fault(f"'{self.topic}': the label '{TOPIC_LABEL}' is reserved")
        if isinstance(self.expect, tuple):
            for name in self.expect:
                self.filter.values(name)
        return self

    @cached_property
    def filter(self) -> TopicFilter:
        """The topic, taken apart."""
        return TopicFilter(self.topic)


class MqttSpec(Spec):
    """A broker and what to hear there."""

    host: Host = Field(description="Name or address of the broker.")
    port: Port | None = Field(None, description="Port; default 1883, with `tls` 8883.")
    ip: IpProtocol = Field(IpProtocol.PREFER_IP4, description="Address family to use.")
    source_ip: Address | None = Field(None, description="Own address to connect from.")
    tls: bool = Field(False, description="Speak TLS.")
    tls_config: Tls = Field(Tls(), description="How to speak TLS.")
    version: Annotated[Literal["3.1.1", "5"], BeforeValidator(str), WithJsonSchema({"enum": ["3.1.1", "5", 5]})] = (
        Field("3.1.1", description="Protocol version.")
    )
    username: str | None = Field(None, min_length=1, description="User name.")
    password: Secret | None = Field(None, description="Password.")
    client_id: str | None = Field(
        None, min_length=1, max_length=65_535, description="Client id, which nobody else may use; default a random one."
    )
    subscriptions: tuple[Subscription, ...] = Field(
        min_length=1, max_length=100, description="Topics, and what becomes of their messages."
    )
    max_payload: Size = Field(64 * 1024, le=1024**2, description="Longest message to read; longer ones are counted.")
    max_topics: int = Field(1000, ge=1, le=20_000, description="Most topics to remember; messages of more are counted.")

    @model_validator(mode="after")
    def _consistent(self) -> MqttSpec:
        if self.password is not None and self.username is None:
            raise fault("`password` needs `username`")
        topics = [subscription.topic for subscription in self.subscriptions]
        for topic in topics:
            if topics.count(topic) > 1:
                raise fault(f"'{topic}' twice in `subscriptions`")
        expected = sum(len(each.expect) for each in self.subscriptions if isinstance(each.expect, tuple))
        if expected > self.max_topics:
            raise fault("`max_topics` is less than what is expected")
        families("subscriptions", self._measures)
        return self

    @property
    def _measures(self) -> list[tuple[Measure, tuple[str, ...]]]:
        return [(measure, each.filter.labels) for each in self.subscriptions for measure in each.metrics]

    def __hash__(self) -> int:
        return hash((self.host, self.port, self.username, self.client_id, len(self.subscriptions)))

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port or (8883 if self.tls else 1883)

    @property
    def peer(self) -> str:
        """The broker."""
        return "{}:{}".format(*self.address)

    @cached_property
    def families(self) -> Mapping[str, Metric]:
        """Families of the metrics, by name."""
        return families("subscriptions", self._measures)

    def declared(self) -> tuple[Metric, ...]:
        """The families that this target makes."""
        return tuple(self.families.values())
