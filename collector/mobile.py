"""Who is who in mobile networks: operators by code and name, cells by numbers that survive re-planning.

Numbers as 3GPP TS 23.003 gives them (sections 2.2, 4.3 and 19.6). Everything that cannot be one raises ValueError with
words for people.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from collector.records import Technology

if TYPE_CHECKING:
    from collector.places import Operator

_PLMN = re.compile(r"(\d{3})(?:\s*[-_/. ]\s*(\d{1,3})|(\d{2,3}))", re.ASCII)
_PARTS = re.compile(r"[-_/.:, ]+")
# Country codes whose network codes have three digits; a number that lost its zeros says nothing of its length.
_THREE_DIGITS = frozenset({302, 310, 311, 312, 313, 314, 315, 316, 334, 338, 342, 344, 346, 348, 365, 708, 722, 732})
ECI_BITS, NCI_BITS = 28, 36
GNB_LENGTHS = range(22, 33)


class Numbering(StrEnum):
    """What a feed calls a cell by."""

    CGI = "cgi"
    UCID = "ucid"
    ECI = "eci"
    NCI = "nci"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Identity:
    """A cell among its operator's: `key` never holds a tracking area. `node` is its base station, '' if unknown.

    `plmn` is the network that the number itself names, '' when it names none.
    """

    key: str
    node: str = ""
    plmn: str = ""


def plmn(value: object, network: object = None) -> str:
    """`452-02` from `452-02`, `45202`, 45202, or from a country and a network code (452, 2). Raises ValueError."""
    if network is not None:
        return _joined(_whole(value, 999, "country code"), network)
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    match = _PLMN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no network code such as 452-02")
    return _joined(int(match[1]), match[2] or match[3])


def _joined(country: int, network: object) -> str:
    number = _whole(network, 999, "network code")
    given = len(network.strip()) if isinstance(network, str) else 0
    return f"{country:03d}-{number:0{max(given, 3 if country in _THREE_DIGITS else 2)}d}"


def eci(value: object) -> Identity:
    """From an E-UTRAN cell identity: 28 bits, eNodeB and cell (128121198 is 500473/110)."""
    number = _whole(value, 2**ECI_BITS - 1, "ECI")
    return Identity(f"4G-{number >> 8}-{number & 0xFF}", f"4G-{number >> 8}")


def nci(value: object, gnb_length: int | None = None) -> Identity:
    """From an NR cell identity: 36 bits. Without the gNB's length (22 to 32 bits) it does not tell the station."""
    number = _whole(value, 2**NCI_BITS - 1, "NCI")
    if gnb_length is None:
        return Identity(f"5G-{number}")
    if gnb_length not in GNB_LENGTHS:
        raise ValueError(f"a gNB has 22 to 32 bits, not {gnb_length}")
    # The key is the same with and without the length: feeds of one operator need not agree on it.
    return Identity(f"5G-{number}", f"5G-{number >> (NCI_BITS - gnb_length)}")


def ucid(value: object, controller: object = None) -> Identity:
    """From a UTRAN cell identity: RNC x 65536 + C-ID, or the C-ID with its controller (RNC, else LAC) beside it."""
    number = _whole(value, 2**ECI_BITS - 1, "UC-ID")
    if controller is not None and number <= 0xFFFF:
        number += _whole(controller, 0xFFFF, "RNC") << 16
    if number <= 0xFFFF:
        raise ValueError(f"cell {number} needs its RNC: it is not unique by itself")
    return Identity(f"3G-{number >> 16}-{number & 0xFFFF}")


def gsm(value: object, area: object) -> Identity:
    """From a GSM cell identity, which is unique only within its location area."""
    if area is None:
        raise ValueError(f"cell {value} needs its LAC: it is not unique by itself")
    return Identity(f"2G-{_whole(area, 0xFFFF, 'LAC')}-{_whole(value, 0xFFFF, 'CI')}")


def identity(
    numbering: Numbering,
    technology: Technology,
    value: object,
    area: object = None,
    gnb_length: int | None = None,
) -> Identity:
    """The cell that `value` names, read as `numbering` says; `area` is the LAC or RNC beside it. Raises ValueError."""
    if numbering is Numbering.ECI:
        return eci(value)
    if numbering is Numbering.NCI:
        return nci(value, gnb_length)
    if numbering is Numbering.UCID:
        return ucid(value, area)
    if numbering is Numbering.CGI:
        return _global(technology, value, area, gnb_length)
    text = unicodedata.normalize("NFC", str(value)).strip()
    if not text:
        raise ValueError("a cell needs a name")
    return Identity(text)


def _global(technology: Technology, value: object, area: object, gnb_length: int | None) -> Identity:
    parts = _PARTS.split(str(value).strip())
    network = ""
    if len(parts) >= 3:
        network, parts = plmn(parts[0], parts[1]), parts[2:]
    if len(parts) > 2:
        raise ValueError(f"{value!r} is no global cell identity")
    beside = parts[0] if len(parts) == 2 else area
    found = _numbered(technology, parts[-1], beside if len(parts) == 2 or technology < "4G" else None, gnb_length)
    return Identity(found.key, found.node, network)


def _numbered(technology: Technology, cell: object, beside: object, gnb_length: int | None) -> Identity:
    if technology is Technology.G2:
        return gsm(cell, beside)
    if technology is Technology.G3:
        return ucid(cell, beside)
    if beside is None:
        return eci(cell) if technology is Technology.G4 else nci(cell, gnb_length)
    if technology is Technology.G4:  # written as eNodeB and cell
        return eci((_whole(beside, 2**20 - 1, "eNodeB") << 8) + _whole(cell, 0xFF, "cell"))
    if gnb_length is None:
        raise ValueError(f"gNB {beside} needs the length of its number")
    bits = NCI_BITS - gnb_length
    return nci((_whole(beside, 2**gnb_length - 1, "gNB") << bits) + _whole(cell, 2**bits - 1, "cell"), gnb_length)


def _whole(value: object, most: int, what: str) -> int:
    text = str(value).strip()
    if isinstance(value, float) and value.is_integer():
        text = str(int(value))
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()) or len(text) > 12:
        raise ValueError(f"{what}: {text[:40]!r} is no whole number")
    if int(text) > most:
        raise ValueError(f"{what}: {text} is over {most}")
    return int(text)


def folded(name: str) -> str:
    """A name as it is compared: NFC, without case and blanks."""
    return "".join(unicodedata.normalize("NFC", name).casefold().split())


class Operators:
    """Finds an operator by id, alias or network code."""

    def __init__(self, operators: Iterable[Operator]) -> None:
        """Raises ValueError when two operators share a name or a code."""
        self._ids: dict[str, str] = {}
        for operator in operators:
            for name in (operator.id, *operator.aliases, *operator.plmn):
                known = self._ids.setdefault(folded(name), operator.id)
                if known != operator.id:
                    raise ValueError(f"{name!r} stands for {known} and for {operator.id}")

    @property
    def names(self) -> Mapping[str, str]:
        """Ids by folded name."""
        return self._ids

    def find(self, value: object) -> str | None:
        """The id of the operator that goes by this name, alias or network code in any of its forms; else None."""
        found = self._ids.get(folded(str(value)))
        if found is not None:
            return found
        try:
            return self._ids.get(plmn(value))
        except ValueError:
            return None
