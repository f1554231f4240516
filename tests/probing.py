"""Run one target of one kind against a real server, through the real runner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from collector.model import Kind, Result, Spec, Target
from collector.net import AddressMap, Net, Resolver
from collector.runner import Gate, Runner


class NeverStalled:
    """A loop that is always in time."""

    def longest_since(self, moment: float) -> float:
        return 0.0


class Probing:
    """Probes with one kind; keeps what the kind opened between runs, as the service does."""

    def __init__(self, kind: Kind[Any, Any], runner: Runner) -> None:
        self._kind = kind
        self._runner = runner

    async def run(self, timeout: float = 2.0, context: Any = None, **settings: Any) -> Result:
        """One run with these spec fields, validated as settings validates them: not on the loop."""
        spec = await asyncio.to_thread(self._kind.spec.model_validate, settings, context=context)
        return await self.run_spec(spec, timeout)

    async def run_spec(self, spec: Spec, timeout: float = 2.0) -> Result:
        """One run of a target whose settings stay the same object, as a service's do."""
        return await self._runner.run(Target("t", "s", self._kind.name, spec, 60.0, timeout))


@asynccontextmanager
async def probing(
    kind: Kind[Any, Any], addresses: Mapping[str, str] | None = None, resolvers: tuple[str, ...] = ()
) -> AsyncIterator[Probing]:
    """A Probing whose hosts are redirected by `addresses` and looked up at `resolvers` (system's if none)."""
    async with AsyncExitStack() as stack:
        resolver = Resolver(resolvers)
        stack.push_async_callback(resolver.close)
        net = Net(resolver, AddressMap(addresses or {}))
        resources = {kind.name: await stack.enter_async_context(kind.open(net))} if kind.open else {}
        yield Probing(kind, Runner({kind.name: kind}, net, resources, Gate(100, 10), NeverStalled()))


def values(result: Result) -> dict[str, float]:
    """Samples of a result as `name` or `name{value,value}` -> value."""
    return {
        f"{sample.metric.name}{{{','.join(sample.labels)}}}" if sample.labels else sample.metric.name: sample.value
        for sample in result.samples
    }
