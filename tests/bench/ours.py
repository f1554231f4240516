"""The service under measurement: the real command on a configuration made for the purpose."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.bench.children import Child, free_port, running

Target = dict[str, Any]
# A province of 5,000 targets has about a hundred systems.
PER_SYSTEM = 50
# What Prometheus 2.42 sends.
SCRAPE_HEADERS = {
    "Accept": "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "Accept-Encoding": "gzip",
}
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_OUTCOME = re.compile(r'outcome="(\w+)"')


def write_config(folder: Path, targets: Sequence[Target], devices: Mapping[str, Any] | None = None) -> Path:
    """A configuration directory with these targets, PER_SYSTEM to a system. JSON is YAML."""
    config = folder / "config"
    files: dict[str, Any] = {
        "monitor.yaml": {
            "limits": {"in_flight": 5000, "per_peer": 5000},
            "journal": {"path": str(folder / "journal.sqlite")},
        },
        "targets.d/bench.yaml": {
            "synthetic": True,
            "owners": [{"id": "bench", "name_vi": "Đo", "name_en": "Bench"}],
            "systems": [
                _system(number, targets[first : first + PER_SYSTEM])
                for number, first in enumerate(range(0, len(targets), PER_SYSTEM))
            ],
        },
    }
    files |= {f"devices.d/{name}.yaml": profile for name, profile in (devices or {}).items()}
    for name, content in files.items():
        path = config / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return config


def _system(number: int, targets: Sequence[Target]) -> dict[str, Any]:
    names = {"name_vi": f"Đo {number}", "name_en": f"Bench {number}"}
    return {"id": f"bench-{number}", **names, "category": "platform", "owner": "bench", "targets": list(targets)}


@dataclass(frozen=True, slots=True)
class Runs:
    """How many runs all targets have made, by the service's own count."""

    ok: float
    all: float

    def since(self, before: Runs) -> Runs:
        """Those made since `before`."""
        return Runs(self.ok - before.ok, self.all - before.all)

    @property
    def share_ok(self) -> float:
        """Ok runs of all; 0 when there were none."""
        return self.ok / self.all if self.all else 0.0


@dataclass(frozen=True, slots=True)
class Ours:
    """A running service, and how it is asked."""

    child: Child
    port: int
    session: aiohttp.ClientSession

    async def scrape(self) -> bytes:
        """Ask as Prometheus does; the body as it came (gzip)."""
        async with self.session.get(f"http://127.0.0.1:{self.port}/metrics", headers=SCRAPE_HEADERS) as answer:
            return await answer.read()

    async def text(self) -> str:
        """The exposition, plain."""
        headers = {"Accept-Encoding": "identity"}
        async with self.session.get(f"http://127.0.0.1:{self.port}/metrics", headers=headers) as answer:
            return await answer.text()

    async def runs(self) -> Runs:
        """Runs so far."""
        counts = {"ok": 0.0, "fail": 0.0, "error": 0.0}
        for labels, value in samples(await self.text(), "hatang_runs_total"):
            outcome = _OUTCOME.search(labels)
            counts[outcome[1] if outcome else "error"] += value
        return Runs(counts["ok"], sum(counts.values()))


def samples(exposition: str, family: str) -> list[tuple[str, float]]:
    """Labels as they stand, and value, of each sample of a family."""
    return [(labels or "", float(value)) for name, labels, value in _SAMPLE.findall(exposition) if name == family]


@contextlib.asynccontextmanager
async def service(
    folder: Path, targets: Sequence[Target], devices: Mapping[str, Any] | None = None, module: Sequence[str] = ()
) -> AsyncIterator[Ours]:
    """`hatang run` on these targets, until the block ends; `module` runs another program of the same arguments.

    Raises Broken.
    """
    config, port = write_config(folder, targets, devices), free_port()
    argv = [sys.executable, "-m", *(module or ("collector", "run", "--log-level", "warning"))]
    argv += ["--config", str(config), "--listen", f"127.0.0.1:{port}"]
    timeout = aiohttp.ClientTimeout(total=30)
    with running(argv, folder / "service.out") as child:
        await child.listening(port)
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
            yield Ours(child, port, session)


async def settled(ours: Ours, targets: int, limit: float = 40.0) -> Runs:
    """Wait until every target has run twice on average, or `limit` seconds; the runs until then."""
    runs = await ours.runs()
    for _ in range(round(limit / 0.5)):
        if runs.all >= 2 * targets:
            break
        await asyncio.sleep(0.5)
        runs = await ours.runs()
    return runs
