"""Which counters are downtime, and how the name of an object gives that of its cell."""

from __future__ import annotations

import re
import unicodedata
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from collector.fields import Regex
from collector.measures import Factor, fault

LONGEST_KEY = 200
_PLACE = re.compile(r"\{(\w+)\}")

Counter = Annotated[str, StringConstraints(pattern=r"^\S{1,200}$")]


class CellName(BaseModel):
    """From the distinguished name of an object to the key of its cell."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pattern: Regex = Field(
        description="RE2 pattern with named groups, searched in dnPrefix, localDn and measObjLdn, joined by commas."
    )
    key: str = Field(
        "{cell}", min_length=1, description="Key of the cell, with named groups of the pattern: `4G-{enb}-{cell}`."
    )

    @model_validator(mode="after")
    def _names_groups(self) -> CellName:
        known = set(self.pattern.pattern.groupindex)
        used = _PLACE.findall(self.key)
        if not used:
            raise fault("`key` names no group of `pattern`, such as {cell}: all cells would be one")
        for name in used:
            if name not in known:
                raise fault(f"`key` names {{{name}}}, which is no group (?P<{name}>...) of `pattern`")
        return self

    def of(self, name: str) -> str:
        """The key of the cell that the object `name` is. Raises ValueError when it is none."""
        match = self.pattern.search(name)
        if match is None:
            raise ValueError(f"{name[-60:]!r} names no cell")
        key = _PLACE.sub(lambda place: match.group(place[1]) or "", self.key)
        key = unicodedata.normalize("NFC", key).strip()
        if not key or len(key) > LONGEST_KEY:
            raise ValueError(f"{name[-60:]!r} gives no key of a cell")
        return key


class Counters(BaseModel):
    """Downtime by cause. A name may hold `*`; where both lists fit, it is planned."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unplanned: tuple[Counter, ...] = Field(
        ("pmCellDowntimeAuto",), description="Counters of downtime that nobody planned (`*` matches any text)."
    )
    planned: tuple[Counter, ...] = Field(
        ("pmCellDowntimeMan",), description="Counters of planned downtime; of a name that fits both, planned."
    )
    scale: Annotated[Factor, Field(gt=0)] = Field(1.0, description="Factor from what they count to seconds.")

    def is_planned(self, counter: str) -> bool | None:
        """Whether a counter is planned downtime; None when it is none at all."""
        for planned, patterns in ((True, self.planned), (False, self.unplanned)):
            if any(fnmatchcase(counter, pattern) for pattern in patterns):
                return planned
        return None
