"""A vendor's performance files (3GPP TS 32.435): how long each cell was out during the last period."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from collector.demo.mobile.forms import XML, Asked
from collector.demo.mobile.rows import Listing, Row, stamp
from collector.demo.pages import SIMULATED, Answer
from collector.records import Technology

PERIOD = 10.0  # seconds; in real networks 900
NAMESPACE = "http://www.3gpp.org/ftp/specs/archive/32_series/32.435#measCollec"
_HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<measCollecFile xmlns="{namespace}">
<fileHeader fileFormatVersion="32.435 V10.0" vendorName={vendor} dnPrefix="SubNetwork=QuangNgai">
<fileSender localDn="ManagedElement=nms"/><measCollec beginTime="{begin}"/></fileHeader>
<measData><managedElement localDn="ManagedElement=nms" userLabel={vendor}/>
<measInfo measInfoId="cell-availability"><job jobId="1"/>
<granPeriod duration="PT{period:.0f}S" endTime="{end}"/><repPeriod duration="PT{period:.0f}S"/>
<measTypes>pmCellDowntimeAuto pmCellDowntimeMan</measTypes>
"""
_FOOT = """\
</measInfo></measData>
<fileFooter><measCollec endTime="{end}"/></fileFooter>
</measCollecFile>
"""


def last_period(now: float) -> tuple[float, float]:
    """Begin and end of the last whole period (Unix seconds)."""
    end = now // PERIOD * PERIOD
    return end - PERIOD, end


def counters(listing: Listing, _: Asked) -> Answer:
    """Of the stations of 5G: those that this vendor built."""
    begin, end = last_period(listing.at)
    words = {"begin": stamp(begin), "end": stamp(end)}
    head = _HEAD.format(namespace=NAMESPACE, vendor=quoteattr(SIMULATED), period=PERIOD, **words)
    return Answer((head + "".join(_values(listing)) + _FOOT.format(**words)).encode(), XML)


def _values(listing: Listing) -> Iterator[str]:
    return (_value(row) for row in listing.rows if row.station.technology is Technology.G5)


def _value(row: Row) -> str:
    name = f"ManagedElement={row.station.site},GNBDUFunction=1,NRCellDU={row.station.key}"
    return f"<measValue measObjLdn={quoteattr(name)}><measResults>{row.downtime:.0f} 0</measResults></measValue>\n"
