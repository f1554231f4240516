"""Synthetic performance files in the shape of real ones: both dialects of 3GPP, both forms of each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

DIALECTS = ("32.435", "28.532")
FORMS = ("items", "lists")
VARIANTS = tuple(product(DIALECTS, FORMS))

# A station of LTE as one vendor writes it: a style sheet before the declaration, a zone without a colon, the same
# measInfoId twice, a cell twice, distributions of many parts, blank ones among them, and a suspect row.
VENDOR = """<?xml-stylesheet type="text/xsl" href="MeasDataCollection.xsl"?><?xml version="1.0" encoding="UTF-8"?>
<measCollecFile xmlns="http://www.3gpp.org/ftp/specs/archive/32_series/32.435#measCollec">
  <fileHeader fileFormatVersion="32.435 V10.0" vendorName="Nhà cung cấp" dnPrefix="SubNetwork=QN">
    <fileSender localDn="MeContext=500473" elementType="RadioNode"/>
    <measCollec beginTime="2026-11-23T09:00:00+0100"/>
  </fileHeader>
  <measData>
    <managedElement localDn="MeContext=500473,ManagedElement=1" userLabel="Bình Sơn" swVersion="1"/>
    <measInfo measInfoId="PM=1,PmGroup=PmGroup_EUtranCellFDD">
      <job jobId="1"/>
      <granPeriod duration="PT900S" endTime="2026-11-23T09:15:00+0100"/>
      <repPeriod duration="PT900S"/>
      <measType p="1">pmCellDowntimeAuto</measType>
      <measType p="2">pmPrbUtilDl</measType>
      <measType p="3">pmCellDowntimeMan</measType>
      <measValue measObjLdn="ManagedElement=1,ENodeBFunction=1,EUtranCellFDD=110">
        <r p="1">12</r><r p="2">0,1,2,3,4,5,6,7,8,9</r><r p="3">0</r>
      </measValue>
      <measValue measObjLdn="ManagedElement=1,ENodeBFunction=1,EUtranCellFDD=111">
        <r p="1"> </r><r p="2"> , , </r><r p="3"></r>
        <suspect>true</suspect>
      </measValue>
      <measValue measObjLdn="ManagedElement=1,ENodeBFunction=1,EUtranCellFDD=112">
        <r p="1">900</r><r p="2"> , , </r><r p="3">0</r>
        <suspect>false</suspect>
      </measValue>
    </measInfo>
    <measInfo measInfoId="PM=1,PmGroup=PmGroup_EUtranCellFDD">
      <granPeriod duration="PT900S" endTime="2026-11-23T09:15:00+0100"/>
      <measType p="1">pmRrcConnEstabSucc</measType>
      <measValue measObjLdn="ManagedElement=1,ENodeBFunction=1,EUtranCellFDD=110"><r p="1">7</r></measValue>
    </measInfo>
    <measInfo measInfoId="PM=1,PmGroup=PmGroup_EUtranCellFDD">
      <granPeriod duration="PT15M" endTime="2026-11-23T08:15:00Z"/>
      <measType p="7">pmCellDowntimeMan</measType>
      <measValue measObjLdn="ManagedElement=1,ENodeBFunction=1,EUtranCellFDD=110"><r p="7">0</r></measValue>
      <measValue measObjLdn="ManagedElement=1,ENodeBFunction=1,EUtranCellFDD=113"><r p="7">300</r></measValue>
    </measInfo>
  </measData>
  <fileFooter><measCollec endTime="2026-11-23T09:15:00+0100"/></fileFooter>
</measCollecFile>
"""

# A station of NR with the standard's own names, in lists, NIL for what was not counted.
STANDARD = """<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="measData.xsl"?>
<measDataFile xmlns="http://www.3gpp.org/ftp/specs/archive/28_series/28.532#measData">
  <fileHeader fileFormatVersion="28.532 V17.2.0" vendorName="Nhà cung cấp" dnPrefix="DC=qn,SubNetwork=1">
    <fileSender senderName="DC=qn,SubNetwork=1,ManagedElement=gNB7" senderType="gNB"/>
    <measData beginTime="2026-11-23T08:00:00+00:00"/>
  </fileHeader>
  <measData>
    <measEntity localDn="ManagedElement=gNB7" userLabel="Dung Quất" swVersion="2"/>
    <measInfo measInfoId="RRU">
      <job jobId="4"/>
      <granPeriod duration="PT900S" endTime="2026-11-23T08:15:00+00:00"/>
      <repPeriod duration="PT900S"/>
      <measTypes>RRU.CellUnavailableTime.Fault RRU.PrbTotDl RRU.CellUnavailableTime.Locked</measTypes>
      <measValue measObjLdn="GNBDUFunction=1,NRCellDU=1">
        <measResults>30 17,5 60</measResults>
        <suspect>false</suspect>
      </measValue>
      <measValue measObjLdn="GNBDUFunction=1,NRCellDU=2"><measResults>NIL 17 0</measResults></measValue>
    </measInfo>
  </measData>
  <fileFooter><measData endTime="2026-11-23T08:15:00+00:00"/></fileFooter>
</measDataFile>
"""

Row = tuple[str, Sequence[str], bool]


def block(form: str, counters: Sequence[str], rows: Sequence[Row], end: str, duration: str) -> str:
    """A measInfo; each row is object, results in the order of `counters`, and whether it is suspect."""
    lines = ['<measInfo measInfoId="x">', f'<granPeriod duration="{duration}" endTime="{end}"/>']
    if form == "lists":
        lines.append(f"<measTypes>{' '.join(counters)}</measTypes>")
    else:
        lines += [f'<measType p="{p}">{counter}</measType>' for p, counter in enumerate(counters, 1)]
    for name, results, suspect in rows:
        lines.append(f'<measValue measObjLdn="{name}">')
        if form == "lists":
            lines.append(f"<measResults>{' '.join(result or 'NIL' for result in results)}</measResults>")
        else:
            lines += [f'<r p="{p}">{result}</r>' for p, result in enumerate(results, 1)]
        lines.append(f"<suspect>{str(suspect).lower()}</suspect></measValue>")
    return "\n".join([*lines, "</measInfo>"])


def document(dialect: str, blocks: Sequence[str], element: str = "ManagedElement=QN1") -> bytes:
    """A whole file."""
    root, collection, entity, sender = {
        "32.435": ("measCollecFile", "measCollec", "managedElement", 'localDn="x"'),
        "28.532": ("measDataFile", "measData", "measEntity", 'senderName="x"'),
    }[dialect]
    series = "32_series/32.435" if dialect == "32.435" else "28_series/28.532"
    space = f"http://www.3gpp.org/ftp/specs/archive/{series}#{collection}"
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<{root} xmlns="{space}">',
            f'<fileHeader><fileSender {sender}/><{collection} beginTime="2026-11-23T08:00:00Z"/></fileHeader>',
            f'<measData><{entity} localDn="{element}"/>',
            *blocks,
            "</measData>",
            f'<fileFooter><{collection} endTime="2026-11-23T08:15:00Z"/></fileFooter>',
            f"</{root}>",
        ]
    ).encode()


def station(dialect: str, form: str, cells: int = 3, end: str = "2026-11-23T08:15:00Z") -> bytes:
    """A file of one block: cell `n` was out for `n` seconds, and for none by plan; the second was not counted."""
    counters = ["pmOther", "pmCellDowntimeAuto", "pmCellDowntimeMan"]
    rows = [(f"Cell={n}", ("1,2,3", "" if n == 1 else str(n % 900), "0"), False) for n in range(cells)]
    return document(dialect, [block(form, counters, rows, end, "PT900S")])
