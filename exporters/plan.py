"""The plan for people and programs: each indicator as it is now, what is demanded of it, and how its value was made."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiohttp import web

from collector.planning import Judged
from collector.reports.plan_lines import Line, told
from collector.service import Service

NOTHING_YET = "the plan is not judged yet: the service has just started\n"


class PlanDesk:
    """The handler over the last judgement."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """The one route."""
        return [web.get("/api/v1/plan", self.plan)]

    async def plan(self, request: web.Request) -> web.Response:
        """Every indicator with each of its targets, worst first; `?indicator=` and `?status=` narrow it."""
        judged = self._service.views.planning.judged
        if judged is None:
            return web.Response(text=NOTHING_YET, status=503)
        text = await asyncio.to_thread(_written, judged, dict(request.query))
        return web.Response(text=text, content_type="application/json")


def _written(judged: Judged, query: Mapping[str, str]) -> str:
    whole = told(judged.plan, judged.assessments, judged.at, "service", judged.footings)
    chosen = tuple(line for line in whole.indicators if _fits(line, query))
    return whole.model_copy(update={"indicators": chosen}).model_dump_json()


def _fits(line: Line, query: Mapping[str, str]) -> bool:
    own = {"indicator": line.indicator, "status": line.status}
    return all(own[key] == value for key, value in query.items() if key in own)
