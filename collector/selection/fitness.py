"""Whether a map is one for JSON, asked when settings are checked."""

from __future__ import annotations

from collector.mapping import RowMap
from collector.measures import fault


def check(plan: RowMap) -> None:
    """Raises a pydantic error for what JSON does not have."""
    if plan.table is not None:
        raise fault(f"map '{plan.name}' has `table`: it is not for JSON")
    if plan.as_of is not None and plan.as_of.by in {"above", "below"}:
        raise fault(f"map '{plan.name}': `as_of: {{by: {plan.as_of.by}}}` is for tables")
