"""The declared map from the rows of somebody's table to records of ours. Pure; knows no file format."""

from collector.mapping.rowmap import RowMap
from collector.mapping.translator import Row, Translation, Translator, Unread

__all__ = ["Row", "RowMap", "Translation", "Translator", "Unread"]
