"""hatang: watches a province's digital infrastructure against its plan."""

__version__ = "0.1.0"
