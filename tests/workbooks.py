"""Workbooks (XLSX, ECMA-376) written by hand, so that tests can also write bad ones."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from xml.sax.saxutils import escape

_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_ROOT = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="r1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
# Format 0 is general, 1 a date with a time.
_STYLES = (
    f'<?xml version="1.0"?><styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>'
)
Cell = str | int | float | bool | datetime | None


def letters(column: int) -> str:
    """What a sheet calls its column, counted from 1."""
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def _cell(reference: str, value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c r="{reference}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, datetime):
        days = (value - datetime(1899, 12, 30, tzinfo=value.tzinfo)).total_seconds() / 86_400
        return f'<c r="{reference}" s="1"><v>{days:.10f}</v></c>'
    if isinstance(value, (int, float)):
        return f'<c r="{reference}"><v>{value}</v></c>'
    return f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def sheet(rows: Iterable[Sequence[Cell]], merged: Sequence[str] = ()) -> str:
    """The XML of a sheet; `merged` are ranges such as A1:F1."""
    lines = [
        f'<row r="{number}">{"".join(_cell(f"{letters(at)}{number}", value) for at, value in enumerate(row, 1))}</row>'
        for number, row in enumerate(rows, 1)
    ]
    cells = "".join(f'<mergeCell ref="{each}"/>' for each in merged)
    merges = f'<mergeCells count="{len(merged)}">{cells}</mergeCells>' if merged else ""
    return (
        f'<?xml version="1.0"?><worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData>{merges}</worksheet>'
    )


def packed(sheets: Mapping[str, str], *, members: Mapping[str, bytes] | None = None) -> bytes:
    """A workbook of sheets (name -> XML), with further members of the archive."""
    entries = "".join(
        f'<sheet name="{escape(name)}" sheetId="{at}" r:id="s{at}"/>' for at, name in enumerate(sheets, 1)
    )
    targets = "".join(
        f'<Relationship Id="s{at}" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet{at}.xml"/>'
        for at in range(1, len(sheets) + 1)
    )
    styles = f'<Relationship Id="st" Type="{_RELATIONS}/styles" Target="styles.xml"/>'
    relations = _ROOT[: _ROOT.index("<Relationship Id")] + targets + styles + "</Relationships>"
    book = (
        f'<?xml version="1.0"?><workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{entries}</sheets></workbook>'
    )
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _ROOT)
        archive.writestr("xl/workbook.xml", book)
        archive.writestr("xl/_rels/workbook.xml.rels", relations)
        archive.writestr("xl/styles.xml", _STYLES)
        for at, xml in enumerate(sheets.values(), 1):
            archive.writestr(f"xl/worksheets/sheet{at}.xml", xml)
        for name, data in (members or {}).items():
            archive.writestr(name, data)
    return content.getvalue()


def workbook(rows: Iterable[Sequence[Cell]], *, name: str = "Sheet1", merged: Sequence[str] = ()) -> bytes:
    """A workbook with one sheet."""
    return packed({name: sheet(rows, merged)})
