"""One file to nodes: where everything stands, what is refused, and that nothing else happens."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.settings.document import MAX_ALIASES, MAX_BYTES, Document, parse, read
from collector.settings.source import Node, SecretRef, SourceFile

SOURCE = SourceFile(Path("targets.d/portal.yaml"), "targets.d/portal.yaml")
SAMPLE = b"""\
systems:
  - id: portal
    name_vi: "C\xe1\xbb\x95ng"
    targets:
      - {id: portal-web, kind: http, token: !env TOKEN}
"""


def parsed(content: bytes) -> Document:
    return parse(content, SOURCE)


def root(content: bytes) -> Node:
    document = parsed(content)
    assert document.root is not None, document.faults
    return document.root


def messages(content: bytes) -> list[str]:
    return [str(fault).removeprefix("targets.d/portal.yaml:") for fault in parsed(content).faults]


def test_each_value_knows_its_place_and_path() -> None:
    portal = root(SAMPLE).children["systems"].items[0]
    assert (portal.at, portal.path, portal.place) == ((2, 5), "systems[portal]", "targets.d/portal.yaml:2")
    name = portal.children["name_vi"]
    assert (name.value, name.key, name.at) == ("Cổng", (3, 5), (3, 14))
    token = portal.children["targets"].items[0].children["token"]
    assert token.value == SecretRef("env", "TOKEN")
    assert (token.at, token.path) == ((5, 45), "systems[portal].targets[portal-web].token")


def test_a_byte_order_mark_is_no_character() -> None:
    assert root(b"\xef\xbb\xbfa: 1\n").children["a"].key == (1, 1)
    assert messages(b"\xef\xbb\xbf# \xe1\xbb\x95 \xff") == ["1:5: not UTF-8 (byte 0xff): save the file as UTF-8"]


@pytest.mark.parametrize("content", [b"", b"\n", b"# only words\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_fine(content: bytes) -> None:
    assert parsed(content) == Document(SOURCE, b"", None, ())


def test_windows_line_ends() -> None:
    assert root(b"a: 1\r\nb:\r\n  c: 2\r\n").children["b"].children["c"].at == (3, 6)


def test_aliases_are_copies_with_their_own_path() -> None:
    tree = root(b"a: &x {b: [1, 2]}\nc: *x\n")
    copy = tree.children["c"].children["b"].items[1]
    assert (copy.value, copy.at, copy.path) == (2, (1, 15), "c.b[1]")


def test_as_many_aliases_as_are_allowed() -> None:
    content = b"a: &x 1\nb: [" + b", ".join([b"*x"] * MAX_ALIASES) + b"]\n"
    assert [node.value for node in root(content).children["b"].items] == [1] * MAX_ALIASES
    assert messages(content.replace(b"]", b", *x]")) == [f"2:{5 + 4 * MAX_ALIASES}: more than 100 aliases"]


def test_a_bomb_costs_nothing() -> None:
    """Nine levels of nine aliases are 387 million values: refused before they exist."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 9)]
    begun = time.perf_counter()
    assert messages("\n".join(lines).encode()) == ["6:10: aliases expand to more than 100,000 values"]
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize("content", [b"[" * 100_000, b"{a: " * 100_000, b"- " * 100_000, b"[" * 60 + b"]" * 60])
def test_depth_is_bounded(content: bytes) -> None:
    (message,) = messages(content)
    assert message.endswith("nested deeper than 50 levels")


def test_no_configuration_is_that_long() -> None:
    assert messages(b"#" * (MAX_BYTES + 1)) == ["1:1: more than 32 MiB: no configuration is that long"]


def test_a_file_that_ends_without_a_newline_may_be_half() -> None:
    (warning,) = parsed(b"targets:\n- a").warnings
    assert str(warning) == "targets.d/portal.yaml:2:4: no newline at the end: is the file whole?"
    assert not parsed(b"targets:\n- a\n").warnings


def test_every_duplicate_is_named() -> None:
    assert messages(b"a: 1\nb: {c: 1, c: 2}\na: 2\na: 3\n") == [
        "2:11: b.c: duplicate key 'c'; first on line 2",
        "3:1: a: duplicate key 'a'; first on line 1",
        "4:1: a: duplicate key 'a'; first on line 1",
    ]


def test_a_key_cannot_forge_a_line() -> None:
    (message,) = messages(b'"a\\nx.yaml:1:1: \\e[2J": 1\n"a\\nx.yaml:1:1: \\e[2J": 1\n')
    assert message.isprintable()


def test_the_same_bytes_are_not_parsed_again(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(SAMPLE)
    first = read(path, "a.yaml")
    assert read(path, "a.yaml", first) is first
    assert read(path, "other/a.yaml", first).source.shown == "other/a.yaml"
    path.write_bytes(SAMPLE + b"# more\n")
    assert read(path, "a.yaml", first) is not first


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "away.yaml").symlink_to("nowhere")
    (tmp_path / "endless.yaml").symlink_to("/dev/zero")
    said = [str(fault) for path in sorted(tmp_path.iterdir()) for fault in read(path, path.name).faults]
    assert said == [
        "away.yaml:1:1: cannot be read: No such file or directory",
        "endless.yaml:1:1: not a regular file",
        "pipe.yaml:1:1: not a regular file",
    ]


@given(st.binary(max_size=200))
def test_garbage_is_a_fault_at_worst(content: bytes) -> None:
    document = parsed(content)
    assert document.root is None or not document.faults or all(fault.line >= 1 for fault in document.faults)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@`#,? \n\t01.~", max_size=60))
def test_what_looks_like_yaml_is_read_or_refused(text: str) -> None:
    document = parsed(text.encode())
    for fault in document.faults:
        assert 1 <= fault.line <= text.count("\n") + 2
        assert fault.column >= 1
        assert fault.message.isprintable()


@given(st.data())
def test_a_damaged_file_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        if not content:
            break
    assert isinstance(parsed(bytes(content)), Document)
