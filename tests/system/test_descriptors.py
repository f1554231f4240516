"""With 64 descriptors for 300 targets: polls wait for a place, none is blamed, and scrapes are answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.serving import listening, until, write_config
from tests.system.process import hatang

TARGETS = 300
pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]


async def test_few_descriptors_make_polls_wait_not_fail(tmp_path: Path) -> None:
    async with listening("0.0.0.0") as port:
        targets = [
            {"id": f"t{n}", "kind": "tcp", "host": f"127.0.{1 + n // 250}.{1 + n % 250}", "port": port}
            for n in range(TARGETS)
        ]
        config = write_config(tmp_path / "config", *targets, defaults={"interval": "3s", "timeout": "2s"})
        async with hatang(config, wrapper=["prlimit", "--nofile=64:64"]) as running:

            async def all_ran() -> bool:
                async with running.client.get("/api/v1/targets") as answer:
                    listed = json.loads(await answer.read())["targets"]
                assert not any(each["runs"]["fail"] or each["runs"]["error"] for each in listed)
                return all(each["runs"]["ok"] >= 3 for each in listed)

            await until(all_ran, within=30)
