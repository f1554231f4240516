"""What becomes of the batches that feeds read: guarded, held, and merged into what is known of each cell."""

from collector.intake.guards import Box, Guard, Refusal, Rules
from collector.intake.holdings import FEED_METRICS, Holding, Holdings
from collector.intake.merging import Known, Network, Source, merged

__all__ = [
    "FEED_METRICS",
    "Box",
    "Guard",
    "Holding",
    "Holdings",
    "Known",
    "Network",
    "Refusal",
    "Rules",
    "Source",
    "merged",
]
