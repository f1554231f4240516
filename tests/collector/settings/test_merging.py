"""Layers of nodes merge as plain mappings would, and keep their places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from collector.settings.credentials import Credentials
from collector.settings.source import Node, SourceFile, merged

FILE = SourceFile(Path("a.yaml"), "a.yaml")
trees = st.recursive(
    st.integers() | st.text(max_size=3) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)


def node_of(value: Any, parent: Node | SourceFile = FILE, name: str | int = "") -> Node:
    node = Node(None, (1, 1), (1, 1), name, parent)
    if isinstance(value, dict):
        node.value = {key: node_of(item, node, key) for key, item in value.items()}
    elif isinstance(value, list):
        node.value = [node_of(item, node, index) for index, item in enumerate(value)]
    else:
        node.value = value
    return node


def naive(base: Any, over: Any) -> Any:
    """Deep merge, written for reading."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    return {
        key: naive(base[key], over[key]) if key in base and key in over else over.get(key, base.get(key))
        for key in {**base, **over}
    }


@given(trees, trees)
def test_merging_is_deep_for_mappings_and_replaces_the_rest(base: Any, over: Any) -> None:
    both = merged(node_of(base), node_of(over))
    assert both is not None
    assert Credentials().plain(both) == naive(base, over)


@given(trees, trees)
def test_merging_changes_neither_side(base: Any, over: Any) -> None:
    below, above = node_of(base), node_of(over)
    merged(below, above)
    assert Credentials().plain(below) == base
    assert Credentials().plain(above) == over


@given(trees)
def test_nothing_merges_with_anything(tree: Any) -> None:
    node = node_of(tree)
    assert merged(None, node) is node
    assert merged(node, None) is node
    assert merged(None, None) is None


def test_each_leaf_keeps_its_own_place() -> None:
    other = SourceFile(Path("b.yaml"), "b.yaml")
    both = merged(node_of({"a": {"x": 1, "y": 2}}), node_of({"a": {"y": 3}}, other))
    assert both is not None
    leaves = both.children["a"].children
    assert [leaf.file.shown for leaf in (leaves["x"], leaves["y"], both.children["a"])] == [
        "a.yaml",
        "b.yaml",
        "b.yaml",
    ]
    assert leaves["x"].path == "a.x"
