"""How available systems are to be: whose objective it is, and on whose word."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.model import Basis, Objective
from collector.settings import load, masked
from tests.configuring import with_base, write

MAIL = '  - {id: mail, name_vi: "T", name_en: "M", category: portal, owner: so-khcn, tier: 1%s}\n'
OBJECTIVES = """\
objectives:
  - {id: by-category, share: 99%, categories: [portal, app]}
  - {id: by-tier, share: 99.5%, recurring: yearly, tiers: [1, 2]}
  - {id: by-name, share: 99.9%, basis: plan, act: 252/KH-UBND, systems: [mail]}
"""
BY_NAME = Objective(0.999, "monthly", Basis.PLAN, "252/KH-UBND", "by-name")


@pytest.mark.parametrize(("text", "share"), [("0.999", 0.999), ("99.9%", 0.999), ("99.741 %", 0.99741), ("1", 1.0)])
def test_a_systems_own_is_proposed(tmp_path: Path, text: str, share: float) -> None:
    """Nobody said which act sets it, so it must not read as if one did."""
    config = load([with_base(tmp_path, targets_d__a="systems:\n" + MAIL % f", objective: {text}")])
    assert config.systems["mail"].objective == Objective(share, "monthly", Basis.PROPOSED, "", "")
    assert config.systems["portal"].objective is None


def test_what_says_it_more_closely_wins(tmp_path: Path) -> None:
    base = with_base(tmp_path / "base", targets_d__a="systems:\n" + MAIL % "", targets_d__b=OBJECTIVES)
    assert load([base]).systems["mail"].objective == BY_NAME
    assert load([base]).systems["portal"].objective == Objective(0.99, "monthly", Basis.PROPOSED, "", "by-category")
    elsewhere = "objectives:\n  - {id: by-name, systems: [portal]}\n"
    config = load([base, write(tmp_path / "over", targets_d__a=elsewhere)])
    assert config.systems["portal"].objective == BY_NAME
    assert config.systems["mail"].objective == Objective(0.995, "yearly", Basis.PROPOSED, "", "by-tier")
    own = "systems:\n  - {id: mail, objective: 98%}\n"
    config = load([base, write(tmp_path / "own", targets_d__a=own)])
    assert config.systems["mail"].objective == Objective(0.98)
    assert "ratio: 0.98" in masked(config)
