"""Notifications as they are read: whatever their texts hold, a line stays a line."""

from __future__ import annotations

import pytest

from collector.demo.alarms.notices import LONGEST, read, short
from tests.collector.demo.alarms.saying import alert, notification


def test_a_notification_is_read() -> None:
    said = notification(alert("SystemDown", system="soc"), alert("SystemDown", "resolved", system="tthc"))
    notice = read("truc-ban", said)
    assert (notice.receivers, notice.firing, notice.severity) == (("truc-ban",), True, "critical")
    assert (notice.vi, notice.en) == ("Có SystemDown", "There is SystemDown")
    assert [(one.name, one.labels["system"], one.firing) for one in notice.alerts] == [
        ("SystemDown", "soc", True),
        ("SystemDown", "tthc", False),
    ]


@pytest.mark.parametrize("said", [{}, [], {"commonLabels": []}, {"commonLabels": {}, "commonAnnotations": 3}])
def test_what_is_no_notification_is_refused(said: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, AttributeError)):
        read("truc-ban", said)


def test_a_text_moves_no_cursor_and_fills_no_screen() -> None:
    assert short("a\x1b[2J\r\nb\u202ec") == "a [2J b c"
    assert len(short("ă" * 10_000)) == LONGEST
