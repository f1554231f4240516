"""Sheets of workbooks (XLSX, ECMA-376; XLS): rows with their numbers, read in a process of its own."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from io import BytesIO
from itertools import chain, islice
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from types import TracebackType
from typing import Any, Self

from collector.mapping.layout import TableLayout
from collector.model import ProbeFailed, Reason
from collector.tables.lines import Line

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_READER = Path(__file__).with_name("sheet.py")
_MOST_MEMBERS = 2_000
_ENCRYPTED = 0x1
_KEPT = ("PYTHONPATH", "PYTHONHOME", "PATH", "LD_LIBRARY_PATH")


def check(content: bytes, layout: TableLayout) -> None:
    """Raises ProbeFailed for what is no workbook, or unpacks to more than it may. Unpacks nothing."""
    if layout.format == "xls" and content.startswith(_OLE):
        return
    if not content.startswith(_ZIP):
        old = "; it is an old (XLS) or an encrypted one" if content.startswith(_OLE) else ""
        raise ProbeFailed(Reason.PROTOCOL, f"no XLSX workbook{old}")
    try:
        members = zipfile.ZipFile(BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise ProbeFailed(Reason.PROTOCOL, f"the workbook is broken or cut off: {error}") from None
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise ProbeFailed(Reason.PROTOCOL, "the workbook is encrypted")
    if len(members) > _MOST_MEMBERS or sum(member.file_size for member in members) > layout.max_unpacked:
        raise ProbeFailed(Reason.TOO_LARGE, f"the workbook unpacks to more than {layout.max_unpacked} bytes")


class Workbook:
    """The rows of one sheet, read once from top to bottom. To be closed."""

    def __init__(self, content: bytes, layout: TableLayout) -> None:
        """Raises ProbeFailed; OSError when no process can be started."""
        check(content, layout)
        self._layout = layout
        self.footer: deque[str] = deque(maxlen=layout.below or None)
        self.is_cut = False
        self._process = Popen(  # noqa: S603  our own program
            [sys.executable, "-P", str(_READER), json.dumps(self._settings())],
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
        )
        try:
            self._send(content)
            self._begin()
            self._rows = self._without_footer(self._read())
            self._head = list(islice(self._rows, layout.header_within + layout.header_rows))
        except BaseException:
            self.close()
            raise

    def _settings(self) -> dict[str, Any]:
        layout = self._layout
        beside = layout.header_within + layout.header_rows + layout.below
        return {
            "sheet": layout.sheet,
            "rows": layout.max_rows + beside + 1,
            "columns": layout.max_columns,
            "cell": layout.max_cell,
            "memory": layout.max_memory,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._process.wait()

    def _send(self, content: bytes) -> None:
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):  # it says itself why it ended, or that it did
                self._process.stdin.write(content)
                self._process.stdin.close()

    def _said(self) -> Any:
        line = self._process.stdout.readline() if self._process.stdout is not None else b""
        if not line.endswith(b"\n"):
            raise ProbeFailed(Reason.TOO_LARGE, "the workbook is broken, or needs too much memory or time to read")
        return _decoder.decode(line.decode())

    def _begin(self) -> None:
        first = self._said()
        if "fault" in first:
            raise ProbeFailed(Reason(first["fault"]), first["detail"])

    def _read(self) -> Iterator[Line]:
        number = 0
        while isinstance(some := self._said(), list):
            for values in some:
                number += 1
                yield Line(number, values)

    def _without_footer(self, given: Iterator[Line]) -> Iterator[Line]:
        held: deque[Line] = deque()
        for line in given:
            if line.is_blank:
                continue
            held.append(line)
            if len(held) > self._layout.below:
                yield held.popleft()
        self.footer.extend(line.text for line in held)

    def above(self, number: int) -> list[str]:
        """The first rows, above row `number`."""
        return [line.text for line in self._head if line.number < number]

    def candidates(self) -> Iterator[tuple[int, list[Sequence[object]]]]:
        """What the header could be: numbers of rows, with the rows from there."""
        for at, line in enumerate(self._head[: self._layout.header_within]):
            yield line.number, [each.values for each in self._head[at : at + self._layout.header_rows]]

    def records(self, after: int, count: int) -> Iterator[Line]:
        """All rows behind the `count` that begin at row `after` (0: all there are)."""
        begun = [line for line in self._head if line.number >= after]
        return chain(begun[count:], self._rows)


def _moment(value: dict[str, Any]) -> Any:
    if "time" in value:
        return datetime.fromisoformat(value["time"])
    return date.fromisoformat(value["day"]) if "day" in value else value


_decoder = json.JSONDecoder(object_hook=_moment)
