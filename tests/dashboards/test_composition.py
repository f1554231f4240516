"""What definitions may say, and where panels end up."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dashboards import components, queries
from dashboards.durations import seconds
from dashboards.layout import bottom, shelves
from dashboards.spec import COLUMNS
from dashboards.words import Json, Language

PAGE = """
- name: small
  project:
    lang: [vi, en]
    dashboards: ["small-{{lang}}"]
- name: "small-{{lang}}"
  dashboard:
    lang: "{{lang}}"
    title: {{vi: Nhỏ, en: Small}}
    description: {{vi: Mô tả, en: Words}}
    refresh: 1m
    past: 6h
    rows:
      - row:
          title: {{vi: Hàng, en: Row}}
          closed: true
          panels:
            - {panel}
"""
STAT = "stat: {title: {vi: Lên, en: Up}, description: {vi: a, en: b}, queries: [systems-up], unit: short}"


def made(folder: Path, text: str) -> dict[str, Json]:
    """Pages of a definition."""
    file = folder / "small.yaml"
    file.write_text(text, encoding="utf-8")
    return components.pages([file])


def test_one_definition_makes_both_languages(tmp_path: Path) -> None:
    """Texts, links and legends are those of the language."""
    pages = made(tmp_path, PAGE.format(panel=STAT))
    assert [page["title"] for page in pages.values()] == ["Nhỏ", "Small"]
    row = pages["hatang-small-vi"]["panels"][0]
    assert (row["type"], row["collapsed"], row["title"]) == ("row", True, "Hàng")
    assert row["panels"][0]["targets"][0]["legendFormat"] == "Hoạt động"


@pytest.mark.parametrize(
    ("panel", "complaint"),
    [
        ("graph: {title: {vi: a, en: b}}", "Extra inputs|kind|graph"),
        (STAT.replace("unit:", "unti:"), "unti: Extra inputs are not permitted"),
        (STAT.replace("systems-up", "systems-upp"), "nothing in the catalogue is called 'systems-upp'"),
        (STAT.replace("{vi: Lên, en: Up}", "Up"), "title"),
        (STAT.replace("unit: short", "states: sistem"), "no words for states 'sistem'"),
        (STAT.replace("unit: short", "scale: 80"), "no scale '80'"),
        (STAT.replace("unit: short", "w: 25"), "less than or equal to 24"),
    ],
)
def test_a_fault_is_named(panel: str, complaint: str, tmp_path: Path) -> None:
    """With the page, and what is wrong."""
    with pytest.raises((components.Faulty, Exception), match=complaint):
        made(tmp_path, PAGE.format(panel=panel))


@pytest.mark.parametrize("text", ["- name: a\n  dashbord: {}\n", "- dashboard: {}\n", "- name: a\n", "- [\n"])
def test_components_that_nobody_knows_are_refused(text: str, tmp_path: Path) -> None:
    """The builder itself would pass over them in silence."""
    with pytest.raises(components.Faulty, match=r"small\.yaml"):
        made(tmp_path, text)


def test_an_empty_document_is_none(tmp_path: Path) -> None:
    """The builder's own reader would fail."""
    assert made(tmp_path, "# nothing\n---\n") == {}


def test_types_are_ours() -> None:
    """None of the stock components, whose JSON is that of 2015, is behind a type."""
    assert {kind.__module__ for kind in components.Registry.TYPES.values()} == {"dashboards.components"}


def test_two_languages_in_one_expression() -> None:
    """Nothing but names differs."""
    query = queries.CATALOGUE["system-states"]
    vi, en = (query.expression(language) for language in Language)
    assert vi != en
    assert vi.replace("name_vi", "name_en") == en


@given(some.lists(some.tuples(some.integers(2, COLUMNS), some.integers(2, 40)), max_size=30), some.integers(0, 50))
def test_shelves_never_overlap(sizes: list[tuple[int, int]], top: int) -> None:
    """All inside, none on another, in order."""
    boxes = shelves(sizes, top)
    taken = [(x, y) for box in boxes for x in range(box.x, box.x + box.w) for y in range(box.y, box.y + box.h)]
    assert len(taken) == len(set(taken))
    assert all(box.x + box.w <= COLUMNS and top <= box.y for box in boxes)
    assert [(box.y, box.x) for box in boxes] == sorted((box.y, box.x) for box in boxes)
    assert bottom(boxes, top) == max([top, *(y + 1 for _, y in taken)])


@pytest.mark.parametrize(("text", "value"), [("6h", 21600), ("1d12h", 129600), ("30d", 2592000)])
def test_durations(text: str, value: int) -> None:
    """As Grafana writes them."""
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "6", "h", "6h ", "now/M"])
def test_no_durations(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="is no duration"):
        seconds(text)
