"""What is said of values that do not fit, for everything that pydantic can find in a model like ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, model_validator

from collector.fields import Duration, Host, IpProtocol, JmesPath, Port, Regex, Secret, Size, Tls
from collector.model import Spec
from collector.settings.credentials import Credentials
from collector.settings.document import parse
from collector.settings.source import SourceFile
from collector.settings.validation import checked


class Inner(Spec):
    """A mapping within."""

    code: int | None = None
    words: tuple[str, ...] = ()
    secret: Secret | None = None


class Sample(Spec):
    """Every type of field that kinds use."""

    text: str = "x"
    host: Host = "h"
    port: Port = 1
    ratio: float = Field(0.5, ge=0, lt=1)
    share: float = Field(0.5, gt=0, le=1, allow_inf_nan=False)
    flag: bool = False
    wait: Duration = 1.0
    size: Size = 1
    ip: IpProtocol = IpProtocol.IP4
    method: Literal["GET", "POST"] = "GET"
    version: Literal["1.2", "1.3"] = "1.2"
    number: Literal[1, 2] = 1
    status: tuple[int | Literal["2xx"], ...] = ()
    pair: Annotated[tuple[int, ...], Field(min_length=2, max_length=3)] = (1, 2)
    regex: Regex | None = None
    path: JmesPath | None = None
    names: dict[Annotated[str, Field(max_length=3)], str] = Field({}, description="Any.")
    header: str | Secret = ""
    inner: Inner | None = None
    list: tuple[Inner, ...] = ()
    tls: Tls = Tls()
    file: Path | None = None

    @model_validator(mode="after")
    def _together(self) -> Sample:
        if self.flag and self.text == "x":
            raise ValueError("`flag` needs a text")
        return self


def said(line: str, *, partial: bool = False) -> list[str]:
    document = parse(f"{line}\n".encode(), SourceFile(Path("a.yaml"), "a.yaml"))
    assert document.root is not None, document.faults
    _, faults = checked(Sample, Credentials().children(document.root), document.root, known=("id",), partial=partial)
    return [str(fault).removeprefix("a.yaml:1:") for fault in faults]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("text: true", "7: text: expected text, got true: put it in quotes"),
        ("text: 5", "7: text: expected text, got a number: put it in quotes"),
        ("text:", "6: text: expected text, got nothing"),
        ("text: [a]", "7: text: expected text, got a list"),
        ("text: {a: b}", "7: text: expected text, got a mapping"),
        ("host: a b", r"7: host: must match ^[^\s/\[\]@]+$"),
        ("host: ''", "7: host: must have at least 1 characters"),
        ("port: 0", "7: port: must be at least 1"),
        ("port: 70000", "7: port: must be at most 65535"),
        ("port: 1.5", "7: port: expected a whole number, got a fraction"),
        ("port: true", "7: port: expected a whole number, got true"),
        (
            "port: '22'",
            "7: port: expected a whole number, got text: write it without quotes and without leading zeros",
        ),
        ("port: ssh", "7: port: expected a whole number, got text"),
        ("ratio: -1", "8: ratio: must be at least 0"),
        ("ratio: 1", "8: ratio: must be less than 1"),
        ("ratio: half", "8: ratio: expected a number, got text"),
        ("ratio: true", "8: ratio: expected a number, got true"),
        ("share: 0", "8: share: must be more than 0"),
        ("share: 1.5", "8: share: must be at most 1"),
        ("share: .inf", "8: share: must be a finite number"),
        ("flag: yes", "7: flag: expected true or false, got text: write true, without quotes"),
        ("flag: 'false'", "7: flag: expected true or false, got text: write false, without quotes"),
        ("flag: 1", "7: flag: expected true or false, got a number"),
        ("flag: true", "7: flag: `flag` needs a text"),
        ("wait: 5 s", "7: wait: expected a duration such as 30s, 1m30s or 500ms"),
        ("wait: 0", "7: wait: must be more than 0"),
        ("size: 5 apples", "7: size: expected a size such as 8MiB or 500KB"),
        ("ip: ip5", "5: ip: unknown value 'ip5'; did you mean 'ip6'?"),
        ("method: PUSH", "9: method: unknown value 'PUSH'; valid: GET, POST"),
        ("method: 5", "9: method: expected 'GET' or 'POST', got a number: put it in quotes"),
        ("version: 1.2", "10: version: expected '1.2' or '1.3', got a number: put it in quotes"),
        ("number: 3", "9: number: expected 1 or 2, got a number"),
        (
            "status: [3xx]",
            "10: status[0]: expected a whole number, got text; or unknown value '3xx'; did you mean '2xx'?",
        ),
        ("status: 200", "9: status: expected a list, got a number"),
        ("pair: [1]", "7: pair: must have at least 2 entries"),
        ("pair: [1, 2, 3, 4]", "7: pair: must have at most 3 entries"),
        ("pair: [1, a]", "11: pair[1]: expected a whole number, got text"),
        ("regex: '('", "8: regex: bad regular expression: missing ): ("),
        ("names: {a: 1}", "12: names.a: expected text, got a number: put it in quotes"),
        ("names: {abcd: b}", "9: names.abcd: must have at most 3 characters"),
        ("names: a", "8: names: expected a mapping, got text"),
        ("header: 5", "9: header: expected text, got a number: put it in quotes"),
        ("inner: {code: x}", "15: inner.code: expected a whole number, got text"),
        ("inner: {cod: 1}", "9: inner.cod: unknown key 'cod'; did you mean 'code'?"),
        ("inner: {words: [a, 1]}", "20: inner.words[1]: expected text, got a number: put it in quotes"),
        ("inner: {secret: 5}", "17: inner.secret: expected a secret: !env NAME or !file path"),
        ("inner: x", "8: inner: expected a mapping, got text"),
        ("list: [{words: a}]", "16: list[0].words: expected a list, got text"),
        ("list: [a]", "8: list[0]: expected a mapping, got text"),
        ("tls: {min_version: '1.4'}", "20: tls.min_version: unknown value '1.4'; did you mean '1.3'?"),
        ("file: 5", "7: file: expected a path, got a number"),
        ("txet: a", "1: txet: unknown key 'txet'; did you mean 'text'?"),
        ("idd: a", "1: idd: unknown key 'idd'; did you mean 'id'?"),
    ],
)
def test_in_plain_words_at_its_place(line: str, message: str) -> None:
    assert said(line) == [message]


def test_all_at_once() -> None:
    assert len(said("{text: 1, port: 0, flag: x, inner: {code: a, cod: b}, list: [{words: a}], zzz: 1}")) == 7


@pytest.mark.parametrize(
    ("line", "messages"),
    [
        (
            "{port: 0, inner: {code: x}}",
            ["8: port: must be at least 1", "25: inner.code: expected a whole number, got text"],
        ),
        ("zzz: 1", None),
        ("flag: true", []),  # the text that it needs may stand in the target
        ("inner: {}", []),
    ],
)
def test_a_part_is_judged_by_what_it_says(line: str, messages: list[str] | None) -> None:
    faults = said(line, partial=True)
    assert faults == messages if messages is not None else len(faults) == 1


def test_what_fits_is_a_model() -> None:
    text = (
        "{text: 'no', port: 22, ratio: 0, flag: true, wait: 1m30s, size: 1KiB, status: [200, 2xx], inner: {code: 1}}\n"
    )
    document = parse(text.encode(), SourceFile(Path("a.yaml"), "a.yaml"))
    assert document.root is not None
    model, faults = checked(Sample, Credentials().children(document.root), document.root)
    expected: dict[str, Any] = {"text": "no", "port": 22, "ratio": 0.0, "flag": True, "wait": 90.0, "size": 1024}
    assert faults == []
    assert model == Sample(**expected, status=(200, "2xx"), inner=Inner(code=1))
