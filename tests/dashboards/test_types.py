"""What Grafana's own types say of the pages, in the oldest and the newest version that is supported with them."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboards.lint.walk import every_panel
from dashboards.words import Json

HERE = Path(__file__).parent / "typescript"
MODULES = Path(__file__).parents[2] / "build" / "typescript"
OPTIONS = {
    "stat": "Stat",
    "gauge": "Gauge",
    "bargauge": "BarGauge",
    "timeseries": "TimeSeries",
    "state-timeline": "StateTimeline",
    "status-history": "StatusHistory",
    "table": "Table",
    "text": "Text",
    "geomap": "Geomap",
}
# What a Prometheus annotation has beside what all have.
ANNOTATION = "{ expr: string; step: string; titleFormat: string; textFormat: string; tagKeys: string }"


@pytest.fixture(scope="module")
def compiler(real: Callable[[str], str]) -> Path:
    """Folder with TypeScript and the types of Grafana, from the lock; kept in build/."""
    npm = real("npm")
    MODULES.mkdir(parents=True, exist_ok=True)
    with (MODULES / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers may want it
        if not _installed():
            _install(npm)
    return MODULES


def _installed() -> bool:
    made = MODULES / "node_modules" / ".package-lock.json"
    kept = MODULES / "package-lock.json"
    return made.exists() and kept.read_text() == (HERE / "package-lock.json").read_text()


def _install(npm: str) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, MODULES)
    subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        check=True,
        cwd=MODULES,
        capture_output=True,
        timeout=120,
    )


def source(pages: dict[str, Json], version: int) -> str:
    """A program that compiles if and only if every page fits the types."""
    schema = f"@grafana/schema-{version}"
    # The older package does not export its parts, the newer one keeps the types apart.
    root = f"./node_modules/{schema}/dist/esm" if version < 12 else f"{schema}/dist/esm"
    lines = [
        f'import type {{ AnnotationQuery, Dashboard, Panel }} from "{schema}";',
        'import type { Deep, Loose } from "./loose";',
    ]
    for name in OPTIONS.values():
        path = f"{root}/raw/composable/{name.lower()}/panelcfg/x/{name}PanelCfg_types.gen"
        lines.append(f'import type {{ Options as {name}Options }} from "{path}";')
    lines += list(_statements(pages))
    return "\n".join(lines)


def _statements(pages: dict[str, Json]) -> Iterator[str]:
    for uid, page in pages.items():
        name = uid.replace("-", "_")
        around = {**page, "panels": [], "annotations": {"list": []}}
        yield f"export const {name}: Loose<Dashboard> = {json.dumps(around)};"
        for place, one in enumerate(page["annotations"]["list"]):
            yield f"export const {name}_a{place}: Loose<AnnotationQuery> & {ANNOTATION} = {json.dumps(one)};"
        for one in every_panel(page):
            if one["type"] != "row":
                options = OPTIONS[one["type"]]
                here = {**one, "options": {}}
                yield f"export const {name}_p{one['id']}: Loose<Panel> = {json.dumps(here)};"
                yield f"export const {name}_o{one['id']}: Deep<Loose<{options}Options>> = {json.dumps(one['options'])};"


def complaints(compiler: Path, work: Path, program: str) -> str:
    """What the compiler says of a program."""
    shutil.copy(HERE / "loose.ts", work)
    (work / "pages.ts").write_text(program, encoding="utf-8")
    (work / "node_modules").symlink_to(compiler / "node_modules")
    arguments = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "esnext"]
    tsc = compiler / "node_modules" / ".bin" / "tsc"
    done = subprocess.run(
        [tsc, *arguments, "--moduleResolution", "bundler", "pages.ts"],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout


@pytest.mark.timeout(180)
@pytest.mark.parametrize("version", [11, 13])
def test_pages_fit_the_types_of_grafana(version: int, compiler: Path, pages: dict[str, Json], tmp_path: Path) -> None:
    """Every key and every value of an enum is one that Grafana knows."""
    vietnamese = {uid: page for uid, page in pages.items() if uid.endswith("-vi")}
    assert complaints(compiler, tmp_path, source(vietnamese, version)) == ""


@pytest.mark.timeout(120)
def test_the_types_catch_a_misspelling(compiler: Path, pages: dict[str, Json], tmp_path: Path) -> None:
    """A wrong value of an enum and a wrong key are complained of."""
    page = json.loads(json.dumps(pages["hatang-noc-wall-vi"]))
    page["panels"][0]["options"]["colorMode"] = "backgrund"
    page["panels"][1]["gridPos"]["widht"] = 3
    said = complaints(compiler, tmp_path, source({"hatang-noc-wall-vi": page}, 13))
    assert "backgrund" in said
    assert "widht" in said
