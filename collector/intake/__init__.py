"""What becomes of the batches that feeds read: guarded, held, and merged into what is known of each cell."""

from collector.intake.guards import Guard, Refusal, Rules
from collector.intake.holdings import Holding, Holdings
from collector.intake.merging import Known, Network

__all__ = ["Guard", "Holding", "Holdings", "Known", "Network", "Refusal", "Rules"]
