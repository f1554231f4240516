"""Documents: decompressed within their limits, and told from web pages."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.model import ProbeFailed, Reason
from collector.sources.fetched import Fetched, inflated, is_html, opened, plain_name

MIB = 1024**2


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.binary(max_size=5).map(bytes))
def test_gzip_of_several_members_is_read_whole(parts: list[bytes], padding: bytes) -> None:
    packed = b"".join(map(gzip.compress, parts)) + bytes(len(padding))
    assert inflated(packed, 2000) == b"".join(parts)


@given(st.binary(max_size=2000), st.integers(0, 2000))
def test_what_is_no_gzip_is_left_alone(content: bytes, limit: int) -> None:
    if content.startswith(b"\x1f\x8b"):
        return
    if len(content) > limit:
        with pytest.raises(ProbeFailed, match="too_large"):
            inflated(content, limit)
    else:
        assert inflated(content, limit) is content


@given(st.binary(min_size=1, max_size=500), st.data())
def test_gzip_that_is_cut_off_is_never_taken(content: bytes, data: st.DataObject) -> None:
    packed = gzip.compress(content)
    cut = packed[: data.draw(st.integers(2, len(packed) - 1))]
    with pytest.raises(ProbeFailed) as caught:
        inflated(cut, 1000)
    assert caught.value.reason is Reason.PROTOCOL


@given(st.binary(min_size=1, max_size=200), st.data())
def test_gzip_that_was_changed_is_refused_or_the_same(content: bytes, data: st.DataObject) -> None:
    packed = bytearray(gzip.compress(content))
    packed[data.draw(st.integers(2, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(ProbeFailed):
        assert inflated(bytes(packed), 1000) == content


def test_a_bomb_takes_neither_memory_nor_time() -> None:
    bomb = gzip.compress(bytes(300 * MIB), 9)
    empty = gzip.compress(b"") * (MIB // 4)
    for content in (bomb, empty):
        begun = time.thread_time()  # what others do on the machine is not ours
        with pytest.raises(ProbeFailed, match="too_large"):
            inflated(content, 8 * MIB)
        assert time.thread_time() - begun < 1
        tracemalloc.start()
        with pytest.raises(ProbeFailed, match="too_large"):
            inflated(content, 8 * MIB)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20 * MIB


@pytest.mark.parametrize(
    ("content", "html"),
    [
        (b"<!DOCTYPE html><html>", True),
        (b"\xef\xbb\xbf \r\n<HTML lang=vi>", True),
        (b'<?xml version="1.0"?>\n<!-- x -->\n<!doctype  HTML PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN">', True),
        (b"<html", True),
        (b"<!-- Please log in --><!-- again --><html >", True),
        (b"<htmlx>", False),
        (b'<?xml version="1.0"?><measDataFile>', False),
        (b'<?xml-stylesheet href="a.xsl"?><?xml version="1.0"?><measCollecFile>', False),
        (b'{"html": "<html>"}', False),
        (b"lat;lon\n1;<html>", False),
        (b"<!-- never ends <html>", False),
        (b"", False),
    ],
)
def test_web_pages_are_known_by_how_they_begin(content: bytes, html: bool) -> None:
    assert is_html(content) is html
    for form in (content, gzip.compress(content)):
        if html:
            with pytest.raises(ProbeFailed, match="a web page"):
                opened(form, 1000)
        else:
            assert opened(form, 1000) == content


@given(st.text(max_size=400))
def test_names_can_be_shown_and_be_names_of_files(name: str) -> None:
    plain = plain_name(name)
    assert plain
    assert not plain.startswith(".")
    assert not set(plain) & set("/\\\0\n\r\x1b")
    assert len(plain) <= 200
    plain.encode()


def test_names_keep_what_is_plain() -> None:
    assert plain_name("Trạm 4G (quý 3).xlsx") == "Trạm 4G (quý 3).xlsx"
    assert plain_name("../..\udcff") == "_..\ufffd"
    assert "secret" not in repr(Fetched("a", b"secret"))
