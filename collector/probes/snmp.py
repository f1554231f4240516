"""Poll a device by SNMPv1, v2c or v3, as one or more device profiles describe it."""

from __future__ import annotations

import resource
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from collector.devices import DROP_REASONS, DeviceProfile, Plan, Tally, plan_of
from collector.devices.objects import Some
from collector.fields import Duration, FromFile, Host, IpProtocol, Port, Secret
from collector.model import Emit, Kind, Metric, ProbeFailed, Reason, Spec
from collector.net import NET_METRICS, Context, Net
from collector.snmp.credentials import Credentials
from collector.snmp.keys import AuthProtocol, PrivProtocol, check_keys, fault
from collector.snmp.reader import Limits, Reader
from collector.snmp.session import Session, Sessions
from collector.snmp.tables import Tables

DURATION = Metric("snmp_scrape_duration_seconds", "Time the device took, without the name lookup.")
WALK_DURATION = Metric(
    "snmp_scrape_walk_duration_seconds", "Time that reading the tables of a profile took.", labels=("profile",)
)
PACKETS_SENT = Metric("snmp_scrape_packets_sent", "Packets that the last run sent, those sent again included.")
PACKETS_RETRIED = Metric("snmp_scrape_packets_retried", "Packets that the last run sent again.")
PDUS_RETURNED = Metric("snmp_scrape_pdus_returned", "Values that the device returned in the last run.")
MISSING = Metric("snmp_scrape_missing_values", "Single values of the profiles that the device does not have.")
UNREADABLE = Metric("snmp_scrape_unreadable_values", "Values that are not what the profile says, left out.")
DROPPED = Metric(
    "snmp_scrape_dropped_rows",
    "Table rows left out in the last run: over max_rows (at least so many), with the labels of another row, "
    "or with an index that is not what the profile says.",
    labels=("reason",),
)
METRICS = (
    *NET_METRICS,
    DURATION,
    WALK_DURATION,
    PACKETS_SENT,
    PACKETS_RETRIED,
    PDUS_RETURNED,
    MISSING,
    UNREADABLE,
    DROPPED,
)
_MAX_SESSIONS = 4096
_NO_CONTEXT = "the SNMP library has no SNMPv3 contexts: leave `context` out, and ask the device's default one"


Profile = Annotated[DeviceProfile, FromFile("device profile", "devices", "devices.d")]


class SnmpSpec(Spec):
    """A device, who we are to it, and what to read."""

    host: Host = Field(description="Name or address of the device.")
    port: Port = Field(161, description="UDP port of the agent.")
    ip: IpProtocol = Field(IpProtocol.PREFER_IP4, description="Which address family to use.")
    version: Annotated[
        Literal["1", "2c", "3"], BeforeValidator(str), WithJsonSchema({"enum": ["1", "2c", "3", 1, 3]})
    ] = Field("2c", description="Protocol version. 1 reads tables row by row; 3 is the only one that keeps secrets.")
    community: Secret | None = Field(None, description="Community, for versions 1 and 2c.")
    user: str | None = Field(None, min_length=1, max_length=32, description="User name, for version 3.")
    auth_protocol: AuthProtocol | None = Field(
        None, description="How messages are authenticated (version 3); without it they are not."
    )
    auth_password: Secret | None = Field(None, description="Password that the authentication key is made from.")
    priv_protocol: PrivProtocol | None = Field(
        None,
        description="How messages are encrypted (version 3); without it they are not. The c forms lengthen the key "
        "as Cisco does, where the digest is shorter than the key.",
    )
    priv_password: Secret | None = Field(None, description="Password that the encryption key is made from.")
    context: str | None = Field(None, description="SNMPv3 context: not supported, and refused.")
    profiles: Annotated[tuple[Profile, ...], Some] = Field(
        description="Device profiles to read in one run; what two of them name is asked for once."
    )
    request_timeout: Duration = Field(1.5, description="How long to wait for one answer.")
    retries: int = Field(2, ge=0, le=10, description="How often to ask again, within the target's time limit.")
    max_repetitions: int = Field(25, ge=1, le=100, description="Rows to ask for in one GETBULK.")
    max_rows: int = Field(2000, ge=1, le=20_000, description="Most table rows to export in one run.")
    allow_nonincreasing_oids: bool = Field(
        False, description="Accept rows out of order, from agents that do so; the walk ends where a row comes again."
    )

    @model_validator(mode="after")
    def _consistent(self) -> SnmpSpec:
        if self.context is not None:
            raise fault(_NO_CONTEXT)
        if self.version == "3":
            self._check_user()
        elif self.community is None:
            raise fault(f"version {self.version} needs `community`")
        elif self.user is not None:
            raise fault("`user` is for version 3")
        try:
            plan_of(self.profiles)
        except ValueError as error:
            raise fault(str(error)) from None
        return self

    def _check_user(self) -> None:
        if self.user is None:
            raise fault("version 3 needs `user`")
        if self.community is not None:
            raise fault("`community` is for versions 1 and 2c")
        check_keys(self)

    @property
    def peer(self) -> str:
        """The agent."""
        return f"{self.host}:{self.port}"

    @cached_property
    def plan(self) -> Plan:
        """What to ask; shared by all specs with the same profiles."""
        return plan_of(self.profiles)

    @cached_property
    def credentials(self) -> Credentials:
        """Who we are."""
        secrets = (self.community, self.auth_password, self.priv_password)
        community, auth, priv = (secret.value if secret else "" for secret in secrets)
        return Credentials(
            self.version, community, self.user or "", self.auth_protocol or "", auth, self.priv_protocol or "", priv
        )

    @cached_property
    def limits(self) -> Limits:
        """How patient to be, and how much to ask for at a time."""
        return Limits(self.request_timeout, self.retries, self.max_repetitions, self.allow_nonincreasing_oids)

    def declared(self) -> tuple[Metric, ...]:
        """Families of the profiles."""
        return self.plan.metrics


async def probe(spec: SnmpSpec, emit: Emit, context: Context[Sessions]) -> None:
    """One poll. A run in which the device gives no value at all fails with PROTOCOL."""
    endpoint = await context.net.resolve(spec.host, spec.port, spec.ip, emit)
    sessions, credentials = context.resource, spec.credentials
    session = await sessions.take(endpoint, credentials)
    keep = False
    try:
        await _poll(spec, emit, context.deadline, session)
        keep = True
    finally:
        sessions.give(endpoint, credentials, session, keep)


async def _poll(spec: SnmpSpec, emit: Emit, deadline: float, session: Session) -> None:
    reader, tally, begun = Reader(session, spec.limits, deadline), Tally(), time.perf_counter()
    plan = spec.plan
    try:
        singles = await reader.get(plan.gets)
        plan.emit(singles, emit, tally)
        if plan.tables:
            await _read_tables(plan, Tables(reader, singles, spec.max_rows, tally, emit), emit)
        if not reader.returned:
            raise ProbeFailed(Reason.PROTOCOL, reader.trouble)
    finally:
        emit(DURATION, time.perf_counter() - begun)
        _emit_tally(plan, reader, tally, emit)


async def _read_tables(plan: Plan, tables: Tables, emit: Emit) -> None:
    durations: dict[str, float] = {}
    try:
        for table in plan.tables:
            begun = time.perf_counter()
            await tables.read(table)
            durations[table.profile] = durations.get(table.profile, 0.0) + time.perf_counter() - begun
    finally:
        for profile, seconds in durations.items():
            emit(WALK_DURATION, seconds, profile)


def _emit_tally(plan: Plan, reader: Reader, tally: Tally, emit: Emit) -> None:
    emit(PACKETS_SENT, reader.packets)
    emit(PACKETS_RETRIED, reader.retried)
    emit(PDUS_RETURNED, reader.returned)
    emit(MISSING, tally.missing)
    emit(UNREADABLE, tally.unreadable)
    if plan.tables:
        for reason in DROP_REASONS:
            emit(DROPPED, tally.dropped[reason], reason)


@asynccontextmanager
async def opened(net: Net) -> AsyncIterator[Sessions]:  # noqa: ARG001  every kind opens with it
    """Warm sessions, each of which holds a descriptor: at most a quarter of those the process may have."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _MAX_SESSIONS if descriptors == resource.RLIM_INFINITY else max(8, min(_MAX_SESSIONS, descriptors // 4))
    sessions = Sessions(limit)
    try:
        yield sessions
    finally:
        sessions.close()


KIND = Kind("snmp", "Poll a device by SNMP, as device profiles describe it.", SnmpSpec, METRICS, probe, opened)
