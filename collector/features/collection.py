"""What a FeatureCollection says of itself: its features, how many there are, of when it is, and where they lie."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from collector.mapping.rowmap import WGS84
from collector.model import ProbeFailed, Reason
from collector.rest.shape import Paging

# RFC 7946 section 4 has only one system; the one before it named others, in texts such as urn:ogc:def:crs:EPSG::5898.
_EPSG = re.compile(r"(?:urn:ogc:def:crs:)?EPSG:[0-9.]*:?([0-9]{4,5})", re.IGNORECASE)
_CRS84 = re.compile(
    r"(?:urn:ogc:def:crs:OGC:[0-9.]*:CRS84h?|OGC:CRS84|https?://www\.opengis\.net/def/crs/OGC/.*CRS84h?)"
)
# A server may link to the next page in several forms.
_NEXT = "not_null(links[?rel=='next' && type=='application/geo+json'].href | [0], links[?rel=='next'].href | [0])"


# The pages of OGC API Features part 1 section 7.15.6: the link `next` until there is none.
OGC_PAGING = Paging.model_validate({"by": "next-link", "next": _NEXT, "max_pages": 1000})


@dataclass(frozen=True, slots=True)
class Collection:
    """One document. `matched` is the number of features in all its pages, `returned` in this one, as it says; `cut`
    is whether it says that there is more behind it.
    """

    features: list[Any]
    matched: int | None = None
    returned: int | None = None
    stamp: Any = None
    cut: bool = False


def collection(document: Any, crs: int = WGS84) -> Collection:
    """What `document` is, whose coordinates are to be of EPSG system `crs`.

    Raises ProbeFailed(PROTOCOL) where it is none; UNEXPECTED where it says that its coordinates are of another system.
    """
    if not isinstance(document, dict):
        raise ProbeFailed(Reason.PROTOCOL, "the document is no GeoJSON: it is no object")
    _check_crs(document.get("crs"), crs)
    kind, features = document.get("type"), document.get("features")
    if kind == "Feature":
        return Collection([document])
    if kind != "FeatureCollection" or not isinstance(features, list):
        said = f"of type {kind[:40]!r}" if isinstance(kind, str) else "without a type"
        raise ProbeFailed(Reason.PROTOCOL, f"the document is no FeatureCollection: it is {said}")
    matched, returned = _count(document.get("numberMatched")), _count(document.get("numberReturned"))
    return Collection(features, matched, returned, document.get("timeStamp"), _exceeded(document))


def _exceeded(document: dict[str, Any]) -> bool:
    """Whether an ArcGIS server says that it had more to give."""
    properties = document.get("properties")
    inner = properties.get("exceededTransferLimit") if isinstance(properties, dict) else None
    return document.get("exceededTransferLimit") is True or inner is True


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _check_crs(said: Any, crs: int) -> None:
    if said is None:
        return
    properties = said.get("properties") if isinstance(said, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    found = _system(name) if isinstance(name, str) else None
    if found != crs:
        shown = ascii(name)[:80] if isinstance(name, str) else "one that has no name"
        raise ProbeFailed(Reason.UNEXPECTED, f"the coordinates are of the system {shown}, not of EPSG:{crs}")


def _system(name: str) -> int | None:
    if _CRS84.fullmatch(name):
        return WGS84
    match = _EPSG.fullmatch(name) or re.fullmatch(r"https?://www\.opengis\.net/def/crs/EPSG/[0-9.]+/([0-9]{4,5})", name)
    return int(match[1]) if match else None


class Extent:
    """How many features pages say that there are, how many there were, and of when they are."""

    def __init__(self) -> None:
        self.received = 0
        self.stamps: list[Any] = []
        self._ids: set[str | int | float] = set()
        self._unnamed = self._matched = 0
        self._whole = True
        self._cut = False

    def add(self, page: Collection) -> None:
        """Take in the next page."""
        ids = [identity(feature) for feature in page.features]
        self._ids.update(found for found in ids if found is not None)
        self._unnamed += ids.count(None)
        self._matched = max(self._matched, page.matched or 0)
        self._whole = self._whole and (page.returned is None or page.returned <= len(ids))
        self._cut = page.cut
        self.received += len(ids)
        self.stamps.append(page.stamp)

    def is_complete(self, total: int | None) -> bool:
        """Whether all features are there that the pages speak of; `total` is what the answers' headers say.

        Servers count while others write: the highest number counts, and a feature on two pages counts once.
        """
        return self._whole and not self._cut and len(self._ids) + self._unnamed >= max(self._matched, total or 0)


def identity(feature: Any) -> str | int | float | None:
    """The id of a feature (RFC 7946 section 3.2): a text or a number."""
    found = feature.get("id") if isinstance(feature, dict) else None
    return found if isinstance(found, (str, int, float)) and not isinstance(found, bool) else None
