"""Storms through a real Prometheus and a real Alertmanager: few notifications, each of which names cause and effect."""

from __future__ import annotations

import asyncio
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dashboards.rules.stage import (
    BROKEN,
    DOWN,
    HOSTED,
    MAINTENANCE,
    OPERATORS,
    STATIONS,
    UNREACHABLE,
    Sink,
    Stage,
    staged,
)

MOST = 10
FIRING = ("[NGHIÊM TRỌNG]", "[CẢNH BÁO]")
OVER = "[ĐÃ KHÔI PHỤC]"
SETTLED = 26.0  # the longest wait (5 minutes), gathering and one interval of groups, 20 times as fast


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_storms(real: Callable[[str], str], tmp_path: Path) -> None:
    """A transmission link with 60 stations and a data centre; then everything; and planned work all the time."""
    async with staged(tmp_path, real) as stage:
        await stage.until(lambda: stage.sink.watchdog > 0, 60)
        await asyncio.sleep(16)  # what there was at best must be known before anything is lost
        stage.province.states |= {"ttdl-tich-hop-he-thong-1": MAINTENANCE, "op-gtel": MAINTENANCE}
        assert stage.sink.texts == []

        await _link_and_centre(stage)
        await _everything(stage)

        assert stage.sink.watchdog > 20
        assert not any("ttdl-tich-hop" in text or "op-gtel không" in text for text in stage.sink.texts)
        for text in stage.sink.texts:
            assert len(text) < 4000
            assert unicodedata.is_normalized("NFC", text)
            assert not BROKEN.search(text), text


async def _link_and_centre(stage: Stage) -> None:
    province, sink = stage.province, stage.sink
    # 8 communes lose all stations of one operator (8 communes have 8 of them), the rest lie here and there.
    link = [*[number for number in range(STATIONS) if number % 96 < 7][:54], 200, 210, 220, 230, 240, 250]
    begun = time.monotonic()
    province.down |= {("op-viettel", number) for number in link}
    province.states["ttdl-tinh"] = DOWN
    province.states |= {f"ttdl-tinh-he-thong-{one}": DOWN if one < 3 else UNREACHABLE for one in range(HOSTED)}
    await stage.until(lambda: len(_firing(sink)) >= 1, 60)
    critical = time.monotonic() - begun
    await stage.until(lambda: any("Trạm phát sóng" in text for text in _firing(sink)), 60)
    await asyncio.sleep(SETTLED)
    told = _firing(sink)
    assert 3 <= len(told) <= MOST, told
    assert critical < 300 / 20 + 5  # five minutes, 20 times as fast; scraping is not
    centre = next(text for text in told if "Trung tâm dữ liệu" in text)
    assert "Hệ thống ttdl-tinh" in centre
    assert f"{HOSTED} hệ thống phụ thuộc vào đây: Hệ thống ttdl-tinh-he-thong-0;" in centre
    assert "Hệ thống ttdl-tinh-he-thong-7; và 1 hệ thống khác" in centre
    assert not any("Hệ thống ngừng hoạt động" in text for text in told)
    commune = next(text for text in told if "trong xã" in text)
    assert "op-viettel" in commune
    assert "thuê bao" in commune
    assert any("Trạm QNI 200" in text for text in told)
    await _recovered(stage)


async def _everything(stage: Stage) -> None:
    sink = stage.sink
    sink.texts.clear()
    stage.province.down |= {(operator, number) for operator in OPERATORS for number in range(STATIONS)}
    await stage.until(lambda: len(_firing(sink)) >= 1, 60)
    await asyncio.sleep(SETTLED)
    told = _firing(sink)
    assert 1 <= len(told) <= MOST, told
    assert "toàn tỉnh" in told[0]
    assert "960 thôn" in told[0]
    assert "op-viettel 740 trạm" in told[0]
    await _recovered(stage)


async def _recovered(stage: Stage) -> None:
    """Each group that was told of is told to be over."""
    told = {text.splitlines()[0].split("] ", 1)[1].split(" (")[0] for text in _firing(stage.sink)}
    stage.province.down.clear()
    for name in [name for name, state in stage.province.states.items() if state != MAINTENANCE]:
        del stage.province.states[name]
    await stage.until(lambda: {text.splitlines()[0].split("] ", 1)[1] for text in stage.sink.notices(OVER)} >= told, 90)


def _firing(sink: Sink) -> list[str]:
    return [text for text in sink.texts if text.startswith(FIRING)]


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_a_critical_outage_is_told_within_five_minutes(real: Callable[[str], str], tmp_path: Path) -> None:
    """With the timers that are shipped; what confirms an outage takes 30 s more at most."""
    async with staged(tmp_path, real, pace=1) as stage:
        await stage.until(lambda: stage.sink.watchdog > 0, 300)
        begun = time.monotonic()
        stage.province.states["ttdl-tinh"] = DOWN
        stage.province.down |= {("op-viettel", number) for number in range(STATIONS)}
        await stage.until(lambda: len(_firing(stage.sink)) >= 2, 300)
        assert time.monotonic() - begun < 270
