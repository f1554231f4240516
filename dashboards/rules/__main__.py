"""`python -m dashboards.rules build|check`: write what is made from the definitions, or say what is not current."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import ValidationError

from dashboards.rules.compose import OUTPUT, built
from dashboards.rules.definition import RuleError


def build(folder: Path = OUTPUT) -> None:
    """Write every file, and remove what is made no more."""
    folder.mkdir(parents=True, exist_ok=True)
    made = built()
    for path in folder.glob("*.yaml"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (folder / name).write_text(text)


def outdated(folder: Path = OUTPUT) -> list[str]:
    """Names of files that are not as the definitions make them."""
    made = built()
    there = {path.name: path.read_text() for path in folder.glob("*.yaml")}
    return sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))


def main(words: list[str]) -> int:
    """The status to exit with."""
    if words not in (["build"], ["check"]):
        sys.stderr.write("usage: python -m dashboards.rules build|check\n")
        return 2
    try:
        if words == ["build"]:
            build()
            return 0
        old = outdated()
    except (RuleError, ValidationError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stderr.write("".join(f"{name} is not current: python -m dashboards.rules build\n" for name in old))
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
