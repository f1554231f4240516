"""What `dns` makes of a message, whoever wrote it, and what it refuses to ask."""

from __future__ import annotations

import time
from typing import Any

import dns.message
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from collector.model import ProbeFailed, Reason
from collector.probes.dns import Answer, DnsSpec, understand

QUERY = dns.message.make_query("www.example.", "A", id=1)


def _good() -> bytes:
    reply = dns.message.make_response(QUERY)
    reply.answer = [dns.rrset.from_text("www.example.", 60, "IN", "A", "10.0.0.1", "10.0.0.2")]
    reply.authority = [dns.rrset.from_text("example.", 60, "IN", "SOA", "a. b. 7 1 1 1 1")]
    reply.additional = [dns.rrset.from_text("x.example.", 60, "IN", "TXT", '"a\\007b"')]
    return reply.to_wire()


GOOD = _good()


def test_lines_are_those_that_zone_files_show() -> None:
    answer = understand(QUERY, GOOD)
    assert tuple(sorted(answer.answer)) == ("www.example.\t60\tIN\tA\t10.0.0.1", "www.example.\t60\tIN\tA\t10.0.0.2")
    assert answer.authority == ("example.\t60\tIN\tSOA\ta. b. 7 1 1 1 1",)
    assert answer.additional == ('x.example.\t60\tIN\tTXT\t"a\\007b"',)
    assert (answer.rcode, answer.truncated, answer.serial) == (0, False, None)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(2, len(GOOD) - 1), st.integers(0, 255)), max_size=6), st.integers(0, len(GOOD)))
def test_a_damaged_message_is_understood_or_refused(changes: list[tuple[int, int]], length: int) -> None:
    wire = bytearray(GOOD)
    for place, value in changes:
        wire[place] = value
    _understood_or_refused(bytes(wire[:length]))


@settings(max_examples=200)
@given(st.binary(max_size=80))
def test_noise_is_refused(noise: bytes) -> None:
    _understood_or_refused(noise)
    _understood_or_refused(GOOD[:2] + noise)
    _understood_or_refused(GOOD[:12] + noise)


def _understood_or_refused(wire: bytes) -> None:
    refused = None
    try:
        assert isinstance(understand(QUERY, wire), Answer)
    except ProbeFailed as failed:
        refused = failed.reason
    assert refused in (None, Reason.PROTOCOL)


def test_a_message_of_pointers_is_read_in_time() -> None:
    """64 KB of records whose name is 126 labels, each reached by a pointer: the worst that compression allows."""
    chain = b"\1a\0"
    at = 12 + 11  # behind the header and the head of the record that holds the chain as data
    last = at
    for _ in range(125):
        pointer = (0xC000 | last).to_bytes(2, "big")
        last = at + len(chain)
        chain += b"\1a" + pointer
    head = bytes.fromhex("00 ff00 0001 00000000") + len(chain).to_bytes(2, "big")
    record = (0xC000 | last).to_bytes(2, "big") + bytes.fromhex("0001 0001 00000000 0004 0a000001")
    count = (65535 - 12 - len(head) - len(chain)) // len(record)
    header = GOOD[:2] + bytes.fromhex("8400 0000") + (count + 1).to_bytes(2, "big") + bytes(4)
    begun = time.perf_counter()
    with pytest.raises(ProbeFailed, match="protocol"):
        understand(QUERY, header + head + chain + record * count)
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "a..b"}, "not a domain name: a..b"),
        ({"name": "x" * 64}, "not a domain name"),
        ({"type": "AAAAA"}, "not a record type: AAAAA"),
        ({"class": "XX"}, "not a class: XX"),
        ({"valid_rcode": ["NXDOMAN"]}, "not a response code: NXDOMAN"),
        ({"transport": "quic"}, "'udp', 'tcp' or 'tls'"),
        ({"udp_size": 100}, "greater than or equal to 512"),
        ({"answer": {"must_match": ["("]}}, "bad regular expression"),
        ({"answer": {"fail_if_matches_regexp": ["a"]}}, "Extra inputs"),
        ({"source_ip": "eth0"}, "expected an IPv4 or IPv6 address"),
    ],
)
def test_what_cannot_be_asked_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        DnsSpec.model_validate({"server": "ns.example", "name": "example"} | changes)
