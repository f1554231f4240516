"""Reads one sheet of a workbook in a process of its own: bytes on stdin, lists of rows as lines of JSON on stdout.

A few hundred bytes of a workbook can make the library ask for more memory than there is (one cell in the last row and
column does), and it then ends the whole process. So it runs here, with little of everything, and imports nothing of
the project. The first line is `{"columns": n}` or `{"fault": reason, "detail": words}`; the last is `{"rows": n}`.
"""

from __future__ import annotations

import json
import resource
import sys
import unicodedata
import zipfile
import zlib
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

_SECONDS = 30
_AT_ONCE = 100
# What zipfile raises for archives that are none.
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError)


def _limit(memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # of all processes of the service, this one is to go first
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


def _say(value: object) -> None:
    sys.stdout.buffer.write(_encoder.encode(value).encode("utf-8", "replace") + b"\n")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, time):
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else str(value)


_encoder = json.JSONEncoder(ensure_ascii=False, default=_plain)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _index(names: list[str], wanted: str | int) -> int:
    if isinstance(wanted, int):
        if wanted > len(names):
            raise LookupError(f"no sheet {wanted}: there are {len(names)}")
        return wanted - 1
    folded = [_folded(name) for name in names]
    if _folded(wanted) not in folded:
        raise LookupError(f"no sheet '{wanted}' among {', '.join(names[:5])}")
    return folded.index(_folded(wanted))


def _cut(value: Any, longest: int) -> Any:
    return value[: longest + 1] if isinstance(value, str) else value


def _verify(content: bytes) -> None:
    """Hold every part of an archive against its check sum, which the library reads only some of."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(content)) as archive:
            if (name := archive.testzip()) is not None:
                raise zipfile.BadZipFile(f"{name} is not what it was")


def _rows(sheet: Any, settings: dict[str, Any]) -> int:
    count, longest, rows = 0, settings["cell"], islice(sheet.iter_rows(), settings["rows"])
    while some := [[_cut(value, longest) for value in row] for row in islice(rows, _AT_ONCE)]:
        _say(some)
        count += len(some)
    return count


def main(settings: dict[str, Any]) -> None:
    """Read the sheet that `settings` name."""
    _limit(settings["memory"])
    # After the limits, and nowhere else.
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415

    content = sys.stdin.buffer.read()
    try:
        _verify(content)
        book = CalamineWorkbook.from_filelike(BytesIO(content))
        sheet = book.get_sheet_by_index(_index(book.sheet_names, settings["sheet"]))
    except LookupError as error:
        _say({"fault": "unexpected", "detail": str(error)})
        return
    except (CalamineError, *_BROKEN) as error:
        _say({"fault": "protocol", "detail": f"no workbook that can be read: {error}"})
        return
    if sheet.width > settings["columns"]:
        _say({"fault": "too_large", "detail": f"{sheet.width} columns, at most {settings['columns']} are read"})
        return
    _say({"columns": sheet.width})
    _say({"rows": _rows(sheet, settings)})


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
