"""Where the province stands against its plan, as the running service says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector import planning
from tests.serving import Serving, serving, until, write_config

PLAN = """
references: [{id: report, name_vi: Báo cáo, name_en: Report}]
indicators:
  - id: villages-4g
    name_vi: Thôn có sóng 4G
    name_en: Villages with 4G
    unit: ratio
    manual: true
    targets: [{value: 1, comparator: ge, due: 2025-12-31, act: 252/KH-UBND, basis: plan}]
    observed: [{date: 2024-06-30, value: 0.8, source: report}]
"""


async def status(running: Serving) -> str:
    series = await running.series()
    found = [name for name, value in series.items() if name.startswith("hatang_plan_status{") and value == 1]
    return found[0] if found else ""


async def test_a_target_past_its_due_date_is_missed(tmp_path: Path) -> None:
    directory = write_config(tmp_path / "config")
    (directory / "plan.yaml").write_text(PLAN)
    async with serving(directory) as running:
        said = await until(lambda: status(running))
        series = await running.series()
    assert 'status="missed"' in said
    (gap,) = {value for name, value in series.items() if name.startswith("hatang_plan_gap{")}
    assert round(gap, 9) == 0.2


async def test_what_cannot_be_judged_is_not_what_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours leaves no status standing as if it were of now."""
    directory = write_config(tmp_path / "config")
    (directory / "plan.yaml").write_text(PLAN)

    def faulty(*_: object) -> None:
        raise RuntimeError("a bug")

    async with serving(directory) as running:
        await until(lambda: status(running))
        with monkeypatch.context() as patched:
            patched.setattr(planning, "compute", faulty)
            await running.service.reload()

            async def gone() -> bool:
                return (await running.get("/api/v1/plan"))[0] == 503

            await until(gone)
            assert not await status(running)
        await running.service.reload()
        await until(lambda: status(running))
