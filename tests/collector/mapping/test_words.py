"""Texts: headings, blanks, states, technologies, lists."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.mapping.words import Blanks, Booleans, States, Technologies, code, codes, folded, text
from collector.records import CellState, Technology

WORDS = {
    "hoạt động": CellState.ACTIVE,
    "LOCKED/*": CellState.PLANNED,
    "*/DISABLED/*": CellState.DOWN,
    "mất [điện]?*": CellState.DOWN,
}


def test_headings_are_the_same_however_they_are_composed() -> None:
    written = "  Tọa   độ\n VN-2000\u00a0X (m)\u200b"
    for form in ("NFC", "NFD"):
        assert folded(unicodedata.normalize(form, written)) == "tọa độ vn-2000 x (m)"
    assert folded("ĐƠN VỊ") == folded("đơn vị")
    assert folded("STT ") == "stt"


@pytest.mark.parametrize("value", ["", "  ", "-", "N/A", "nan", "NaN", float("nan"), None, "NULL", "\u00a0", "#N/A"])
def test_blanks(value: object) -> None:
    assert Blanks(("-", "n/a", "nan", "null", "#n/a"))(value) is None


def test_what_is_no_blank_keeps_its_value() -> None:
    blanks = Blanks(("-",))
    assert [blanks(value) for value in (" a ", 0, False, "0", "--")] == ["a", 0, False, "0", "--"]


def test_words_and_patterns() -> None:
    states = States(WORDS)
    assert states.find(" Hoạt  Động ") is CellState.ACTIVE
    assert states.find(unicodedata.normalize("NFD", "HOẠT ĐỘNG")) is CellState.ACTIVE
    assert states.find("locked/ENABLED/ACTIVE") is CellState.PLANNED
    assert states.find("UNLOCKED/DISABLED/IDLE") is CellState.DOWN
    assert states.find("mất [điện]? lưới") is CellState.DOWN
    assert states.find("Planned") is CellState.PLANNED
    for unknown in ("", "locked", "mất điện lưới", "xanh"):
        with pytest.raises(ValueError, match="is none of active, down, planned, sleeping, unknown, hoạt động"):
            states.find(unknown)


def test_the_first_pattern_that_matches_decides() -> None:
    states = States({"a*": CellState.DOWN, "*": CellState.UNKNOWN, "ab*": CellState.ACTIVE, "abc": CellState.SLEEPING})
    assert [states.find(word) for word in ("abd", "b", "abc")] == [
        CellState.DOWN,
        CellState.UNKNOWN,
        CellState.SLEEPING,
    ]


def test_booleans() -> None:
    booleans = Booleans({"HS": True, "OK": False})
    for value in ("1", 1, 1.0, True, "HS", "hs", "Có", "x"):
        assert booleans.find(value) is True
    for value in ("0", 0, False, "OK", "không"):
        assert booleans.find(value) is False
    with pytest.raises(ValueError, match="'DG' is none of"):
        booleans.find("DG")


def test_technologies() -> None:
    technologies = Technologies({"CDMA": None, "Di động băng rộng": Technology.G4})
    assert technologies.of("LTE") == (Technology.G4,)
    assert technologies.of("2G/3G, 4G") == (Technology.G2, Technology.G3, Technology.G4)
    assert technologies.of("4G + 5G NR") == (Technology.G4, Technology.G5)
    assert technologies.of(["NR", "LTE", "LTE"]) == (Technology.G4, Technology.G5)
    assert technologies.of("di động băng rộng") == (Technology.G4,)
    assert technologies.of("CDMA") == ()
    for unknown in ("WiMAX", "4G/WiMAX", 4):
        with pytest.raises(ValueError, match="is none of"):
            technologies.of(unknown)


def test_texts() -> None:
    assert text(1001.0) == "1001"
    assert text("Trạm\n số\t1\x00") == "Trạm số 1"
    assert text("a" * 500) == "a" * 200
    assert code(" QNI-001 ") == "QNI-001"
    assert codes("v1; v2,v3;;v1") == ("v1", "v2", "v3")
    assert codes(["v1", None, 7]) == ("v1", "7")
    for bad in ("", " \n", "a" * 121):
        with pytest.raises(ValueError, match=r"blank|over 120"):
            code(bad)
    with pytest.raises(ValueError, match="no text"):
        text({"a": 1})


@given(st.text())
@settings(deadline=None)
def test_texts_are_composed_and_on_one_line(value: str) -> None:
    found = text(value)
    assert len(found) <= 200
    assert found.isprintable() or not any(unicodedata.category(each) in {"Cc", "Cs"} for each in found)
    assert folded(folded(value)) == folded(value)
