"""How long 50,000 rows of a feed keep the loop from everything else, and what they cost."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from collector.feeds import json as json_feed
from collector.feeds import table
from collector.mapping.layout import AsOf
from collector.model import Kind
from collector.settings import load
from tests.bench.children import Broken
from tests.bench.effort import Effort
from tests.bench.figures import Budget, Figure
from tests.lag import Hold
from tests.probing import probing

ROWS = 50_000
LAG_MS = 50
CONFIG = Path("config")
# Files that were written just now may still be being written.
LONG_AGO = 60.0


async def measure(folder: Path, effort: Effort) -> list[Figure]:
    """Milliseconds of CPU between two ticks of the loop at most, and seconds of CPU for all, of each format."""
    config = await asyncio.to_thread(load, [CONFIG])
    if config.places is None:
        raise Broken(f"{CONFIG} names no operators")
    # Here are files: none is an answer of just now.
    maps = {name: plan.model_copy(update={"as_of": AsOf(by="modified")}) for name, plan in config.maps.items()}
    context = {"maps": maps, "operators": config.places.operators}
    figures: list[Figure] = []
    for name, (kind, shipped, written) in FORMATS.items():
        effort.say(f"{ROWS:,} rows of {name}")
        place = folder / name
        await asyncio.to_thread(_write, place, written())
        settings = {"source": {"folder": str(place)}, "period": 3600.0, "map": shipped, "operator": "op-viettel"}
        figures += await _read(name, kind, settings, context, effort.rounds)
    return figures


async def _read(
    name: str, kind: Kind[Any, Any], settings: Mapping[str, Any], context: Mapping[str, Any], rounds: int
) -> list[Figure]:
    lags, costs = [], []
    for _ in range(rounds):
        hold = Hold()
        async with probing(kind) as prober:  # anew: what did not change is not read again
            watch = asyncio.create_task(hold.watch())
            begun = time.process_time()
            result = await prober.run(60.0, context, **settings)
            costs.append(time.process_time() - begun)
            watch.cancel()
        if result.batch is None or len(result.batch.records) != ROWS:
            raise Broken(
                f"{ROWS} rows of {name}: {result.outcome} {result.detail} {result.batch and result.batch.faults}"
            )
        lags.append(1000 * hold.longest)
    return [
        Figure(f"{ROWS:,} rows of {name}: the loop waits", "ms", lags, Budget(LAG_MS)),
        Figure(f"{ROWS:,} rows of {name}", "s CPU", costs),
    ]


def _write(folder: Path, text: str) -> None:
    folder.mkdir()
    path = folder / "rows"
    path.write_text(text)
    moment = time.time() - LONG_AGO
    os.utime(path, (moment, moment))


def _csv() -> str:
    """As OpenCelliD exports it."""
    now = int(time.time())
    end = f"0,1,1,{now},{now},0\r\n"
    rows = (
        f"LTE,452,4,{number % 500},{number + 300},0,{107.5 + number / ROWS},{14.5 + number / ROWS},{end}"
        for number in range(ROWS)
    )
    return "".join(rows)


def _json() -> str:
    """As a 5G management system lists its cells (TS 28.541 NrCellDu)."""
    states = {"administrativeState": "UNLOCKED", "operationalState": "ENABLED", "cellState": "ACTIVE"}
    cells = [{"objectInstance": f"GNBDUFunction=1,NRCellDU={number}", "attributes": states} for number in range(ROWS)]
    return json.dumps({"NrCellDu": cells})


FORMATS: Mapping[str, tuple[Kind[Any, Any], str, Callable[[], str]]] = {
    "CSV": (table.KIND, "opencellid", _csv),
    "JSON": (json_feed.KIND, "ts28541-nrcelldu", _json),
}
