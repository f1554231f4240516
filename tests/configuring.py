"""Write a configuration for a test."""

from __future__ import annotations

from pathlib import Path

BASE = """\
owners:
  - {id: so-khcn, name_vi: "Sở KHCN", name_en: "Department of Science and Technology"}
systems:
  - id: portal
    name_vi: "Cổng dịch vụ công"
    name_en: "Public service portal"
    category: portal
    owner: so-khcn
"""


def write(directory: Path, /, **files: str) -> Path:
    """Write `files` by name (`targets_d__web` is targets.d/web.yaml) into `directory`, and return it."""
    for name, text in files.items():
        path = directory / f"{name.replace('_d__', '.d/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory


def with_base(directory: Path, /, **files: str) -> Path:
    """The same, with one owner and the system `portal`."""
    return write(directory, inventory_d__base=BASE, **files)
