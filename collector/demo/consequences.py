"""What becomes of systems when targets fail, cannot be seen, or work is planned: by the service's own rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from collector.derive.systems import in_order, judged, own_state, parents_of, support_of, supported
from collector.model import System, SystemState, Target, Verdict


class Outlook:
    """States of the systems of one configuration."""

    def __init__(self, systems: Mapping[str, System], targets: Mapping[str, Target]) -> None:
        self._systems = systems
        self._order = in_order(systems)
        self._members: dict[str, list[Target]] = {name: [] for name in systems}
        for target in targets.values():
            self._members[target.system].append(target)
        self._undisturbed = self._states({}, ())

    def disturbed(self, verdicts: Mapping[str, Verdict], planned: Collection[str] = ()) -> dict[str, SystemState]:
        """The systems whose state differs from when all is well, and that state.

        `verdicts` by target, of those that are not up; `planned` are systems under maintenance.
        """
        states = self._states(verdicts, planned)
        return {name: state for name, state in states.items() if state is not self._undisturbed[name]}

    def _states(self, verdicts: Mapping[str, Verdict], planned: Collection[str]) -> dict[str, SystemState]:
        states: dict[str, SystemState] = {}
        for name in self._order:
            system = self._systems[name]
            ours: dict[bool, list[Verdict]] = {True: [], False: []}
            for target in self._members[name]:
                ours[target.required].append(verdicts.get(target.id, Verdict.UP))
            parents = {parent: support_of(states[parent]) for parent in parents_of(system)}
            own = own_state(ours[True], ours[False])
            states[name] = judged(own, supported(system.depends_on, parents), name in planned)
        return states
