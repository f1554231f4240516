"""What systems depend on: groups, what hosting implies, overlays, circles."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.derive.systems import in_order
from collector.model import Dependency, System
from collector.settings import SettingsError, load
from collector.settings.systems import circles
from tests.configuring import with_base, write

CENTRE = 'systems:\n  - {id: centre, name_vi: "C", name_en: "C", category: data-centre, owner: so-khcn}\n'


def app(**keys: str) -> str:
    """A system in one line."""
    given = {"name_vi": "A", "name_en": "A", "category": "app", "owner": "so-khcn", **keys}
    return f"  - {{{', '.join(f'{key}: {value}' for key, value in given.items())}}}\n"


def systems(directory: Path, text: str) -> dict[str, System]:
    return dict(load([with_base(directory, targets_d__systems=text)]).systems)


def test_ids_and_groups(tmp_path: Path) -> None:
    found = systems(
        tmp_path, CENTRE + app(id="mail", depends_on="[portal, {any: [centre, portal]}, {all: [portal, centre]}]")
    )
    assert found["mail"].depends_on == (
        Dependency(("portal",)),
        Dependency(("centre", "portal"), any=True),
        Dependency(("portal", "centre")),
    )
    assert found["centre"].depends_on == found["portal"].depends_on == ()


@pytest.mark.parametrize(
    ("depends_on", "expected"),
    [
        ("[]", (Dependency(("centre",)),)),
        ("[portal]", (Dependency(("portal",)), Dependency(("centre",)))),
        ("[centre]", (Dependency(("centre",)),)),
        ("[{any: [centre, portal]}]", (Dependency(("centre", "portal"), any=True),)),
    ],
)
def test_hosting_is_a_dependency(tmp_path: Path, depends_on: str, expected: tuple[Dependency, ...]) -> None:
    """Unless the centre is already named: two centres that stand in for each other are an any-group."""
    found = systems(tmp_path, CENTRE + app(id="mail", hosting="centre", depends_on=depends_on))
    assert found["mail"].depends_on == expected


def test_an_overlay_replaces_what_is_depended_on(tmp_path: Path) -> None:
    base = with_base(tmp_path / "base", targets_d__systems=CENTRE + app(id="mail", depends_on="[portal]"))
    overlay = write(tmp_path / "over", targets_d__a="systems:\n  - {id: mail, depends_on: [], hosting: centre}\n")
    assert load([base, overlay]).systems["mail"].depends_on == (Dependency(("centre",)),)
    assert load([base]).systems["mail"].depends_on == (Dependency(("portal",)),)


def test_a_circle_over_two_directories(tmp_path: Path) -> None:
    base = with_base(tmp_path / "base", targets_d__systems=CENTRE + app(id="mail", hosting="centre"))
    overlay = write(tmp_path / "over", targets_d__a="systems:\n  - {id: centre, depends_on: [mail]}\n")
    with pytest.raises(SettingsError) as caught:
        load([base, overlay])
    assert str(caught.value) == (
        f"{overlay}/targets.d/a.yaml:2:31: systems[centre].depends_on[0]: "
        "dependencies go in a circle: centre -> mail -> centre"
    )


graphs = st.integers(1, 7).flatmap(
    lambda size: st.fixed_dictionaries({f"s{n}": st.lists(st.integers(0, size - 1), max_size=3) for n in range(size)})
)


@given(graphs)
@settings(max_examples=200, deadline=None)
def test_circles_are_found_exactly_where_there_are_any(graph: dict[str, list[int]]) -> None:
    ways = {name: [f"s{number}" for number in numbers] for name, numbers in graph.items()}
    found = list(circles(ways))
    for circle in found:
        assert circle[0] == circle[-1]
        assert all(after in ways[before] for before, after in pairwise(circle))
    unbroken = {
        name: System(name, "", "", "", "", None, None, "", depends_on=tuple(Dependency((way,)) for way in some))
        for name, some in ways.items()
    }
    if found:
        with pytest.raises(ValueError, match="cycle"):
            in_order(unbroken)
    else:
        order = in_order(unbroken)
        assert all(order.index(parent) < order.index(name) for name, parents in ways.items() for parent in parents)


def test_a_long_chain_is_walked() -> None:
    ways = {f"s{number}": [f"s{number + 1}"] for number in range(20_000)}
    assert list(circles(ways)) == []
    assert len(next(circles({**ways, "s20000": ["s0"]}))) == 20_002
