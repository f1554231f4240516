"""Writes the made-up villages and zones into the demo's overlay.

python -m collector.demo.mobile [CONFIG]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from collector.demo.mobile.figures import figures
from collector.demo.mobile.written import written
from collector.settings import Config, SettingsError, load

OVERLAY = Path(__file__).parents[1] / "overlay"


def documents(config: Config) -> dict[Path, str]:
    """The files, by path, for the communes and the plan of a configuration."""
    if config.places is None:
        raise ValueError("no communes are configured")
    return {OVERLAY / name: text for name, text in written(config.places, figures(config.plan)).items()}


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    try:
        for path, text in documents(load([Path(argument) for argument in arguments or ["config"]])).items():
            path.write_text(text)
            sys.stdout.write(f"{path}\n")
    except (SettingsError, ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
