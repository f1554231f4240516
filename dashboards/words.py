"""Texts in both languages, from one definition."""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator


class Language(StrEnum):
    """Language of a page."""

    VI = "vi"
    EN = "en"


class Text(BaseModel):
    """What people read, in both languages; Vietnamese in NFC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vi: str
    en: str

    @field_validator("vi", "en")
    @classmethod
    def _composed(cls, value: str) -> str:
        return unicodedata.normalize("NFC", value)

    def of(self, language: Language) -> str:
        """The text in `language`."""
        return self.vi if language is Language.VI else self.en


def text(vi: str, en: str) -> Text:
    """Shorter."""
    return Text(vi=vi, en=en)


NO_DATA = text("Không có dữ liệu", "No data")
DATA_SOURCE = text("Nguồn dữ liệu", "Data source")
PAGES = text("Các trang", "Dashboards")
ALL = text("Tất cả", "All")

Json = dict[str, Any]
