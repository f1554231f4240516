"""`python -m dashboards.rules build|check|alertmanager`: write what is made from the definitions, or say what is old.

`alertmanager --receivers FILE --out FILE` makes Alertmanager's configuration for an installation, secrets included.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import ValidationError

from dashboards.rules.compose import OUTPUT, ROOT, built
from dashboards.rules.definition import RuleError
from dashboards.rules.receivers import receivers
from dashboards.rules.routing import configuration
from dashboards.rules.tables import page

ALERTMANAGER = ROOT / "deploy" / "alertmanager"
# What stands for a secret in the committed example.
PLACEHOLDER = "PUT-IN-WHEN-INSTALLED"
_HEAD = "# Made by `python -m dashboards.rules build` from receivers.yaml; never edited.\n"


def everything() -> dict[Path, str]:
    """Every file that is made, and what it holds. Raises RuleError, ValidationError."""
    rules = built()
    _sound(rules)
    made = {OUTPUT / name: text for name, text in rules.items()}
    made[Path(__file__).parent / "README.md"] = page(rules)
    example = configuration(receivers(ALERTMANAGER / "receivers.yaml"), PLACEHOLDER)
    return made | {ALERTMANAGER / "alertmanager.yml": _HEAD + _text(example)}


def build() -> None:
    """Write every file, and remove what is made no more."""
    made = everything()
    for path in _there() - made.keys():
        path.unlink()
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _sound(rules: Mapping[str, str]) -> None:
    """Raise RuleError where Prometheus would have to read too much."""
    from dashboards.lint import rules as lint  # noqa: PLC0415  its parser is needed only where rules are built

    files = {name: yaml.safe_load(text)["groups"] for name, text in rules.items()}
    found = lint.faults({name: [rule for group in groups for rule in group["rules"]] for name, groups in files.items()})
    if found:
        raise RuleError("\n".join(found))


def outdated() -> list[Path]:
    """Files that are not as the definitions make them."""
    made = everything()
    there = {path: path.read_text() for path in _there() | made.keys() if path.exists()}
    return sorted(path for path in made.keys() | there.keys() if made.get(path) != there.get(path))


def install(source: Path, out: Path) -> None:
    """Write Alertmanager's configuration, for owner and group only, with the templates beside it."""
    told = receivers(source)
    token = told.telegram.token_file.read_text().strip() if told.telegram else ""
    opened = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    with os.fdopen(opened, "w") as file:
        os.fchmod(opened, 0o640)
        file.write(_text(configuration(told, token)))
    shutil.copytree(ALERTMANAGER / "templates", out.parent / "templates", dirs_exist_ok=True)


def main(words: list[str]) -> int:
    """The status to exit with."""
    parser = argparse.ArgumentParser(prog="python -m dashboards.rules", description=__doc__)
    parser.add_argument("what", choices=["build", "check", "alertmanager"])
    parser.add_argument("--receivers", type=Path, default=ALERTMANAGER / "receivers.yaml")
    parser.add_argument("--out", type=Path, default=Path("alertmanager.yml"))
    asked = parser.parse_args(words)
    try:
        return _done(asked.what, asked.receivers, asked.out)
    except (RuleError, ValidationError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _done(what: str, source: Path, out: Path) -> int:
    if what == "build":
        build()
    if what == "alertmanager":
        install(source, out)
    old = outdated() if what == "check" else []
    for path in old:
        sys.stderr.write(f"{path.relative_to(ROOT)} is not current: python -m dashboards.rules build\n")
    return 1 if old else 0


def _there() -> set[Path]:
    return set(OUTPUT.glob("*.yaml"))


def _text(made: object) -> str:
    return yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=10_000)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
