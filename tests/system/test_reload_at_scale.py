"""5,000 targets run; one is edited, then the file is broken: nothing else notices."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from collector.model import Result
from collector.scheduler import Slot, slot_of
from collector.settings import SettingsError
from tests.serving import Serving, listening, serving, write_config, write_targets

COUNT, AT_ONCE = 5000, 250
pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


def tcp_targets(port: int, count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"t{number}", "kind": "tcp", "host": f"127.0.{1 + number // 250}.{1 + number % 250}", "port": port}
        for number in range(count)
    ]


Past = tuple[int, Slot, int, Result | None]


def _snapshot(running: Serving) -> dict[str, Past]:
    return {
        name: (id(record), slot_of(record.target), sum(record.runs.values()), record.last)
        for name, record in running.service.state.records.items()
    }


def _undisturbed(before: Past, after: Past) -> bool:
    """The same record at the same phase; its last result differs only if it ran once more meanwhile."""
    return before[:2] == after[:2] and (before[2:] == after[2:] or before[2] < after[2])


async def test_editing_one_target_changes_only_that_target(tmp_path: Path) -> None:
    async with listening("0.0.0.0") as port:
        targets = tcp_targets(port, COUNT)
        config = write_config(tmp_path, *targets, defaults={"interval": "1h", "timeout": "5s"})
        async with serving(config) as running:
            for some in range(0, COUNT, AT_ONCE):
                await asyncio.gather(*(running.service.probe(f"t{some + number}") for number in range(AT_ONCE)))
            await asyncio.sleep(2)  # the watcher may still tell of the files written above
            before = _snapshot(running)
            odd = [(name, last) for name, (*_, last) in before.items() if last is None or last.outcome != "ok"]
            assert not odd, odd[:3]

            targets[4321]["timeout"] = "3s"
            write_targets(config, "targets", *targets)
            await running.service.reload()
            after = _snapshot(running)
            assert running.service.config.targets["t4321"].timeout == 3
            assert before.keys() == after.keys()
            assert all(_undisturbed(before[name], after[name]) for name in before)

            write_targets(config, "targets", *targets[:-1], {**targets[-1], "prot": 1})
            with pytest.raises(SettingsError, match="prot"):
                await running.service.reload()
            broken = _snapshot(running)
            assert all(_undisturbed(after[name], broken[name]) for name in after)
            assert (await running.series())["hatang_config_last_reload_successful"] == 0
