"""A month behind it: how long every query of every page and every rule takes a real Prometheus.

Recorded and system series of 30 days at 5 minutes, and the raw ones of 5,000 targets at every scrape: for an hour, or
for as long as pages draw and rules read them. Their names and labels are those that the demo gives.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import aiohttp

from dashboards.known import RULES
from dashboards.lint.promql import uses
from dashboards.lint.walk import targets
from dashboards.words import Json
from tests.backfill import LENGTHS, spans
from tests.bench import reach, seen
from tests.bench.boards import ANNOTATION, Ask, asks, choices, filled
from tests.bench.children import Broken, find, free_port, running
from tests.bench.effort import Effort
from tests.bench.figures import Budget, Figure
from tests.bench.past import DAY, SCRAPE, planned
from tests.bench.reach import Rule
from tests.bench.seen import Seen
from tests.dashboards.executing import excused, widened

TARGETS = 5000
DAYS, DAYS_QUICK = 31, 4
LIMIT = Budget(1.0)
# Two at a time: each writes its text, some gigabytes for the last hours, which promtool reads.
_AT_A_TIME, _ROOM = 2, 16_000_000_000
# A page of one system is opened for so many more, as no system has all that the page can show.
_SORTS = 3
# Recorded only while operators fail.
_QUIET = "hatang_outage:ratio"


@dataclass(frozen=True, slots=True)
class History:
    """What was made: up to when, of what, how much, in how many seconds."""

    end: int
    series: Sequence[Seen]
    samples: int
    took: float


@dataclass(slots=True)
class Timed:
    """A query with its seconds in each round, how many series it gave, and what Prometheus had against it."""

    ask: Ask
    took: list[float] = field(default_factory=list)
    found: int = 0
    error: str = ""

    @property
    def middle(self) -> float:
        """Seconds."""
        return median(self.took)


async def measure(folder: Path, effort: Effort) -> list[Figure]:
    """Seconds of the slowest query of each page and of the slowest rule of each file. Raises Unavailable, Broken."""
    find("promtool")
    if shutil.disk_usage(folder).free < _ROOM:
        raise Broken(f"{_ROOM / 1e9:.0f} GB have to be free in {folder}")
    listed = reach.rules()
    records = {rule.name: rule.expr for rule in listed if rule.records}
    shape = seen.completed(await seen.province(folder, records, effort), records)
    history = await _made(folder, seen.fleet(shape, TARGETS), effort)
    async with _prometheus(folder) as asker:
        figures = [await _page(asker, history, uid, page, effort) for uid, page in reach.pages().items()]
        files = [[rule for rule in listed if rule.file == file] for file in dict.fromkeys(one.file for one in listed)]
        judged = [await _rules(asker, history, some, effort) for some in files]
    share = Figure("rules, all of them", "% of a core", [100 * sum(part for _, part in judged)])
    return [_told(history, folder), *figures, *(figure for figure, _ in judged), share]


async def _made(folder: Path, series: Sequence[Seen], effort: Effort) -> History:
    begun = time.monotonic()
    end = int(time.time()) // LENGTHS[-1] * LENGTHS[-1]
    begin = end - (DAYS_QUICK if effort.quick else DAYS) * DAY
    plan = {"begin": begin, "end": end, "series": [*planned(series, reach.reach(), begin, end)]}
    file = folder / "series.json"
    file.write_text(json.dumps(plan), encoding="utf-8")
    (folder / "data").mkdir()
    turns, parts = asyncio.Semaphore(_AT_A_TIME), spans(begin, end)
    done: list[int] = []

    async def part(span: tuple[int, int]) -> None:
        async with turns:
            done.append(await _block(file, folder / "data", span))
            effort.say(f"history: block {len(done)} of {len(parts)}, {sum(done) / 1e6:.0f} M samples")

    effort.say(f"history: {len(parts)} blocks of {len(series):,} series")
    await asyncio.gather(*map(part, reversed(parts)))  # the last one is the largest
    return History(end - SCRAPE, series, sum(done), time.monotonic() - begun)


async def _block(file: Path, data: Path, span: tuple[int, int]) -> int:
    argv = (sys.executable, "-m", "tests.bench.past", str(file), str(data), *map(str, span))
    child = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    output, errors = await child.communicate()
    if child.returncode:
        raise Broken(f"no block was made: {errors.decode()[-500:]}")
    return int(output)


class _Asker:
    """Asks Prometheus, one query after another."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url, self._session = f"{url}/api/v1", session

    async def time(self, ask: Ask, end: int, rounds: int) -> Timed:
        """The query, `rounds` times, until the last byte of the answer."""
        timed = Timed(ask)
        path, form = ask.request(end)
        for _ in range(rounds):
            begun = time.perf_counter()
            async with self._session.post(f"{self._url}/{path}", data=form) as answer:
                body = await answer.read()
            timed.took.append(time.perf_counter() - begun)
        said = json.loads(body)
        data = said.get("data", ())
        timed.found, timed.error = len(data["result"] if isinstance(data, dict) else data), said.get("error", "")
        return timed

    async def labels(self, expr: str, label: str, end: int) -> list[str]:
        """Values of a label in what an instant query gives."""
        async with self._session.post(f"{self._url}/query", data={"query": expr, "time": str(end)}) as answer:
            said = await answer.json()
        return [one["metric"][label] for one in said["data"]["result"] if label in one["metric"]]


@asynccontextmanager
async def _prometheus(folder: Path) -> AsyncIterator[_Asker]:
    """On the blocks, with our rules, which it evaluates as it would in use. It merges no blocks meanwhile."""
    port = free_port()
    config = {"global": {"scrape_interval": f"{SCRAPE}s"}, "rule_files": [f"{RULES}/*.yaml"]}
    (folder / "history.json").write_text(json.dumps(config), encoding="utf-8")
    argv = [find("prometheus"), f"--config.file={folder / 'history.json'}", f"--storage.tsdb.path={folder / 'data'}"]
    argv += [f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=90d", "--log.level=warn"]
    argv += [f"--storage.tsdb.max-block-duration={LENGTHS[0]}s"]
    with running(argv, folder / "history.out") as child:
        await child.listening(port)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)) as session:
            yield _Asker(f"http://127.0.0.1:{port}", session)


async def _page(asker: _Asker, history: History, uid: str, page: Json, effort: Effort) -> Figure:
    """Opened with everything chosen where that can be, and with one value: the one of which there is the most."""
    wanted = list(dict.fromkeys([ask for some in await _chosen(asker, history, page) for ask in asks(page, some)]))
    timed = []
    for number, ask in enumerate(wanted, 1):
        effort.say(f"history: {uid}, query {number} of {len(wanted)}")
        timed.append(await asker.time(ask, history.end, effort.rounds))
    name = uid.removeprefix("hatang-").removesuffix("-vi")
    return _figure(f"page {name}: slowest of {len(wanted)} queries", timed, _unanswered(timed))


async def _chosen(asker: _Asker, history: History, page: Json) -> list[dict[str, str]]:
    """Values of the variables: everything, what has the most series, and then what has the most sorts yet unseen."""
    shown = {use.name for _, target in targets(page) for use in uses(target["expr"])}
    series = [(one.name, value) for one in history.series for value in one.labels.values()]
    most, unseen = Counter(value for _, value in series), {(name, value) for name, value in series if name in shown}
    found = [
        await _resolved(asker, history.end, page, most, every=True),
        await _resolved(asker, history.end, page, most),
    ]
    for _ in range(_SORTS):
        values = await _resolved(asker, history.end, page, Counter(value for _, value in unseen))
        names = {name for name, value in unseen if value in values.values()}
        unseen = {(name, value) for name, value in unseen if name not in names}
        found.append(values)
    return found


async def _resolved(
    asker: _Asker, end: int, page: Json, often: Mapping[str, int], every: bool = False
) -> dict[str, str]:
    found: dict[str, str] = {}
    for choice in choices(page):
        expr = filled(choice.series, 0, SCRAPE, found)
        values = await asker.labels(expr, choice.label, end)
        if every and not values:
            raise Broken(f"nothing to choose for {choice.name}: {expr}")
        # One value may leave nothing of the next: an operator without stations of its own has no communes.
        one = max(sorted(set(values)), key=lambda value: often[value], default="")
        found[choice.name] = choice.everything(values) if every and choice.many else one
    return found


def _unanswered(timed: Iterable[Timed]) -> list[str]:
    """What gave nothing, whatever was chosen: then it was not measured. But for what a month like this may lack."""
    answered, pardoned = {one.ask.where for one in timed if one.found}, excused()
    silent = [one.ask for one in timed if one.ask.where not in answered and widened(one.ask.source) not in pardoned]
    return sorted({ask.where for ask in silent if not ask.where.startswith(ANNOTATION)})


async def _rules(asker: _Asker, history: History, listed: Sequence[Rule], effort: Effort) -> tuple[Figure, float]:
    """The slowest of a file, and what share of a core all of them take."""
    timed, share = [], 0.0
    for number, rule in enumerate(listed, 1):
        effort.say(f"history: rules {rule.file}, {number} of {len(listed)}")
        timed.append(await asker.time(Ask(rule.name, rule.expr, rule.expr), history.end, effort.rounds))
        share += timed[-1].middle / rule.every
    silent = {one.ask.where for one in timed if not one.found}
    empty = [rule.name for rule in listed if rule.records and rule.name in silent and _QUIET not in rule.name]
    return _figure(f"rules {listed[0].file}: slowest of {len(listed)}", timed, empty), share


def _figure(name: str, timed: Sequence[Timed], empty: Sequence[str]) -> Figure:
    errors = [f"{one.ask.where}: {one.error}" for one in timed if one.error]
    slowest = max(timed, key=lambda one: one.middle)
    all_of_it = sum(one.middle for one in timed)
    faults = [*errors, *(f"nothing: {where}" for where in empty)]
    note = "; ".join(faults) or f"{slowest.ask.where}; all of them {all_of_it:.2f} s"
    return Figure(name, "s", slowest.took, LIMIT, note=note, sound=not faults)


def _told(history: History, folder: Path) -> Figure:
    """What all of it is measured on."""
    size = sum(file.stat().st_size for file in (folder / "data").rglob("*") if file.is_file())
    note = f"{len(history.series):,} series, {history.samples / 1e6:.0f} M samples, {size / 1e6:,.0f} MB"
    return Figure("history: back-filled", "s", [history.took], note=note)
