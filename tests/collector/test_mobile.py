"""Operators by code and name; cells by numbers that survive re-planning."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.mobile import Identity, Numbering, Operators, eci, gsm, identity, nci, plmn, ucid
from collector.places import Operator
from collector.records import Technology

G2, G3, G4, G5 = Technology


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (("452-02",), "452-02"),
        (("45202",), "452-02"),
        ((45202,), "452-02"),
        ((45202.0,), "452-02"),
        ((452, 2), "452-02"),
        (("452", "02"), "452-02"),
        ((452.0, 2.0), "452-02"),
        (("452 04",), "452-04"),
        ((" 452/4 ",), "452-04"),
        (("310-410",), "310-410"),
        (("310410",), "310-410"),
        ((310, 4), "310-004"),
        ((208, "001"), "208-001"),
        (("001-01",), "001-01"),
    ],
)
def test_network_codes_in_every_form(given: tuple[object, ...], text: str) -> None:
    assert plmn(*given) == text


@pytest.mark.parametrize(
    "given", ["", "452", "4522", "viettel", "452-0234", "452-", None, True, "４５２-02", "45202.5"]
)
def test_what_is_no_network_code(given: object) -> None:
    with pytest.raises(ValueError, match="network code"):
        plmn(given)


@given(st.integers(0, 999), st.integers(0, 99))
def test_a_code_is_the_same_in_every_form(country: int, network: int) -> None:
    text = plmn(country, network)
    assert plmn(text) == text
    assert plmn(text.replace("-", "")) == text


def test_an_eci_is_a_station_and_a_cell() -> None:
    assert eci(128121198) == Identity("4G-500473-110", "4G-500473")
    assert eci("128121198") == eci(128121198.0)


def test_an_nci_tells_its_station_only_with_the_length_of_its_number() -> None:
    assert nci(123456789012 % 2**36).node == ""
    assert nci((77 << 14) + 5, 22) == Identity(f"5G-{(77 << 14) + 5}", "5G-77")
    assert nci((77 << 4) + 5, 32).node == "5G-77"
    assert nci(5, 32).key == nci(5).key, "feeds of one operator need not agree on the length"


def test_older_cells_need_what_makes_them_unique() -> None:
    assert ucid(65536 * 12 + 34) == ucid(34, 12) == Identity("3G-12-34")
    assert gsm(34, 12) == Identity("2G-12-34")
    with pytest.raises(ValueError, match="RNC"):
        ucid(34)
    with pytest.raises(ValueError, match="LAC"):
        gsm(34, None)


@pytest.mark.parametrize(
    ("technology", "text", "key"),
    [
        (G2, "452-04-12-34", "2G-12-34"),
        (G3, "452-04-12-34", "3G-12-34"),
        (G4, "452-04-500473-110", "4G-500473-110"),
        (G4, "452-04-128121198", "4G-500473-110"),
        (G5, "452-04-81", "5G-81"),
        (G5, "452-04-5-1", "5G-81"),
    ],
)
def test_global_identities(technology: Technology, text: str, key: str) -> None:
    found = identity(Numbering.CGI, technology, text, gnb_length=32)
    assert (found.key, found.plmn) == (key, "452-04")


def test_a_tracking_area_is_never_part_of_a_key() -> None:
    for numbering in (Numbering.ECI, Numbering.CGI):
        keys = {identity(numbering, G4, 128121198, area=area).key for area in (None, 1, 2)}
        assert keys == {"4G-500473-110"}
    assert {identity(Numbering.NCI, G5, 81, area=area).key for area in (None, 1, 2)} == {"5G-81"}


def test_a_name_is_compared_as_it_is_composed() -> None:
    name = "Trạm Bình Sơn"
    assert identity(Numbering.TEXT, G4, f" {unicodedata.normalize('NFD', name)} ") == Identity(name)
    with pytest.raises(ValueError, match="name"):
        identity(Numbering.TEXT, G4, " ")


@pytest.mark.parametrize("value", [2**28, -1, "12a", 1.5, None, True, float("nan"), "9" * 5000, "²"])
def test_what_is_no_cell(value: object) -> None:
    with pytest.raises(ValueError, match="ECI"):
        eci(value)


@pytest.mark.parametrize("text", ["452-04-1-2-3", "452", "", "452-04-", "x-04-1"])
def test_what_is_no_global_identity(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        identity(Numbering.CGI, G2, text)


@given(st.integers(0, 2**36 - 1), st.integers(22, 32))
def test_every_nci_has_its_own_key(number: int, length: int) -> None:
    node = number >> (36 - length)
    assert nci(number, length) == Identity(f"5G-{number}", f"5G-{node}")
    text = f"452-04-{node}-{number & (1 << (36 - length)) - 1}"
    assert identity(Numbering.CGI, G5, text, gnb_length=length).key == f"5G-{number}"


def test_operators_by_id_alias_and_code() -> None:
    operators = Operators(
        [
            Operator("viettel", ("452-04",), ("Tập đoàn Viettel",)),
            Operator("vinaphone", ("452-02",), ("VNPT", "VNPT VinaPhone")),
        ]
    )
    for name in ("Viettel", " VIETTEL ", "45204", 45204, "452-4", unicodedata.normalize("NFD", "tập đoàn viettel")):
        assert operators.find(name) == "viettel"
    for name in ("vnptvinaphone", "VNPT  Vinaphone", "452 02"):
        assert operators.find(name) == "vinaphone"
    for nobody in ("mobifone", "452-01", "", None):
        assert operators.find(nobody) is None


def test_a_name_stands_for_one_operator() -> None:
    with pytest.raises(ValueError, match="stands for a and for b"):
        Operators([Operator("a", ("452-04",)), Operator("b", ("452-04",))])
