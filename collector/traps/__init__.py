"""SNMP traps and informs: a reason to look at once, never to believe."""

from collector.traps.desk import TrapDesk
from collector.traps.figures import RECEIVER_METRICS, TARGET_METRICS
from collector.traps.reactions import Reactions
from collector.traps.receiver import TrapReceiver
from collector.traps.trap import NAMES, Trap

__all__ = ("NAMES", "RECEIVER_METRICS", "TARGET_METRICS", "Reactions", "Trap", "TrapDesk", "TrapReceiver")
