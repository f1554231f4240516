"""Device profiles: their model, and the pure decoding of what a device answers."""

from collector.devices.plan import DROP_REASONS, SINGLE, Plan, TablePlan, Tally, plan_of
from collector.devices.profile import DeviceProfile
from collector.devices.values import Raw

__all__ = ["DROP_REASONS", "SINGLE", "DeviceProfile", "Plan", "Raw", "TablePlan", "Tally", "plan_of"]
