"""The smallest workbook that spreadsheet programs open (ECMA-376 part 1): one sheet, texts in place, merged cells."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

Value = str | int | float
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SHEET}.worksheet+xml"/>'
        "</Types>"
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}


def workbook(name: str, rows: Iterable[Sequence[Value]], merged: Iterable[str] = ()) -> bytes:
    """An XLSX file with one sheet; `merged` are ranges such as A1:G1."""
    book = (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        f'<sheets><sheet name="{escape(name)}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path, text in {**_PARTS, "xl/workbook.xml": book, "xl/worksheets/sheet1.xml": _data(rows, merged)}.items():
            archive.writestr(path, _HEAD + text)
    return packed.getvalue()


def _data(rows: Iterable[Sequence[Value]], merged: Iterable[str]) -> str:
    lines = (
        f'<row r="{number}">{"".join(map(_cell, _names(number, len(row)), row))}</row>'
        for number, row in enumerate(rows, start=1)
    )
    ranges = [f'<mergeCell ref="{one}"/>' for one in merged]
    together = f'<mergeCells count="{len(ranges)}">{"".join(ranges)}</mergeCells>' if ranges else ""
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData>{together}</worksheet>'


def _names(row: int, columns: int) -> list[str]:
    """Names of the first cells of a row: at most 26 columns are needed here."""
    return [f"{chr(ord('A') + column)}{row}" for column in range(columns)]


def _cell(name: str, value: Value) -> str:
    if isinstance(value, str):
        return f'<c r="{name}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c r="{name}"><v>{value}</v></c>'
