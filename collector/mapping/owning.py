"""Whose a row is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.mapping.words import code, folded, shown
from collector.mobile import Operators, plmn


class Owner:
    """Tells the operator of a row: the one that it names, else the feed's."""

    def __init__(self, operator: str | None, operators: Operators | None) -> None:
        self._operator, self._operators = operator, operators
        self._known: dict[object, str] = {}
        self._networks: dict[tuple[object, object], str] = {}

    def of(self, values: Mapping[str, Any], network: str) -> str:
        """The operator's id; a name that nobody knows stays as it is. `network` is what the cell's identity names.

        Raises ValueError when there is none, or when an operator's own feed speaks of another operator's network.
        """
        named = self._named(values) or network
        if not named:
            if self._operator is None:
                raise ValueError("operator: blank")
            return self._operator
        found = self._find(named)
        if self._operator is not None and folded(found) != folded(self._operator):
            raise ValueError(f"operator: {shown(named)} is not {self._operator}")
        return self._operator or found

    def _named(self, values: Mapping[str, Any]) -> object:
        if "mcc" not in values and "mnc" not in values:
            return values.get("operator")
        codes = (values.get("mcc"), values.get("mnc"))
        if codes not in self._networks:
            try:
                self._networks[codes] = plmn(*codes)
            except ValueError as error:
                raise ValueError(f"mcc, mnc: {error}") from None
        return self._networks[codes]

    def _find(self, named: object) -> str:
        if named not in self._known:
            self._known[named] = (self._operators.find(named) if self._operators is not None else None) or code(named)
        return self._known[named]
