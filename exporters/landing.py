"""The landing page: what is not well, and where everything is. Vietnamese, with English beneath."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from collector.model import Outcome
from collector.settings import Config
from collector.state import Record
from collector.vitals import LastReload

SHOWN = 100
_PAGE = Template((Path(__file__).parent / "landing.html").read_text(encoding="utf-8"))
_SIMULATED = '<p class="simulated">Số liệu mô phỏng – không phải hạ tầng thật <small>simulated data</small></p>'


def render(records: Sequence[Record], config: Config, last_reload: LastReload) -> str:
    """The page as HTML."""
    counts = Counter(record.last.outcome if record.last else None for record in records)
    ailing = [record for record in records if record.last and record.last.outcome is not Outcome.OK]
    return _PAGE.substitute(
        simulated=_SIMULATED if any(record.target.synthetic for record in records) else "",
        ok=counts[Outcome.OK],
        fail=counts[Outcome.FAIL],
        error=counts[Outcome.ERROR],
        waiting=counts[None],
        systems=len(config.systems),
        rows="".join(_row(record, config) for record in ailing[:SHOWN]) or _ALL_WELL,
        more=f"… +{len(ailing) - SHOWN}" if len(ailing) > SHOWN else "",
        reload="" if last_reload.ok else f'<pre class="fault">{escape(last_reload.message)}</pre>',
    )


_ALL_WELL = '<tr><td colspan="4">Không có mục tiêu nào lỗi <small>nothing is failing</small></td></tr>'


def _row(record: Record, config: Config) -> str:
    system, last = config.systems[record.target.system], record.last
    if last is None:
        return ""
    return (
        f'<tr class="{last.outcome}"><td>{escape(system.name_vi)}<small>{escape(system.name_en)}</small></td>'
        f'<td><a href="probe?target={escape(record.target.id)}&amp;debug=true">{escape(record.target.id)}</a></td>'
        f"<td>{last.reason}</td><td>{escape(last.detail)}</td></tr>"
    )
