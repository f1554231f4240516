"""Words and numbers of the plan as people read them, in Vietnamese or in English."""

from __future__ import annotations

import math
from datetime import date, datetime
from enum import StrEnum

from collector.plan import Comparator, Origin, Status, Unit, Value
from collector.reports.words import floored

# Before the smallest number that can be shown.
_LEAST = "<"


class Language(StrEnum):
    """What a report for people is written in."""

    VI = "vi"
    EN = "en"


STATUSES = {
    Status.MISSED: ("Không đạt, đã quá hạn", "missed"),
    Status.BEHIND: ("Chậm tiến độ", "behind"),
    Status.UNKNOWN: ("Không rõ", "unknown"),
    Status.ON_TRACK: ("Đúng tiến độ", "on track"),
    Status.MET: ("Đạt", "met"),
}
ORIGINS = {
    Origin.LIVE: ("đang đo", "live"),
    Origin.JOURNAL: ("đo được", "measured"),
    Origin.OBSERVATION: ("báo cáo", "reported"),
    Origin.NONE: ("chưa có số liệu", "no data"),
}
COMPARED = {Comparator.GE: "≥", Comparator.GT: ">", Comparator.LE: "≤", Comparator.LT: "<", Comparator.EQ: "="}
UNITS = {Unit.RATIO: ("%", "%"), Unit.COUNT: ("", ""), Unit.NUMBER: ("", ""), Unit.TERABYTE: ("TB", "TB")}
HEAD = (
    ("Tình trạng", "Status"),
    ("Chỉ tiêu", "Indicator"),
    ("Hiện tại", "Now"),
    ("Ngày", "As of"),
    ("Mục tiêu", "Target"),
    ("Hạn", "Due"),
    ("Còn thiếu", "Gap"),
    ("Nhịp cần", "Needed pace"),
    ("Nhịp thực tế", "Observed pace"),
    ("Dự kiến đạt", "Projected"),
    ("Căn cứ", "Basis"),
)
_METHOD_VI = (
    "Hiện tại: trung bình theo thời gian của hôm nay và hôm qua, hoặc số liệu báo cáo gần nhất.",
    "Hai số là cận dưới và cận trên: phần không rõ tính là không có, và tính là có.",
    "Đạt khi cận xấu hơn thỏa mục tiêu; không đạt khi cả cận tốt hơn cũng không; còn lại là không rõ.",
    "Khi phần lớn thời gian thỏa mục tiêu thì một sự cố ngắn không làm mất kết quả đạt.",
    "Quá hạn tính từ hết ngày đến hạn (giờ Việt Nam). Nhịp cần = còn thiếu / thời gian còn lại.",
    "Nhịp thực tế: bình phương tối thiểu trên 180 ngày; dấu * là độ dốc giữa hai số liệu gần nhất.",
    "Nhịp tính cho 30 ngày; của tỷ lệ, tính bằng điểm phần trăm.",
    "Căn cứ “đề xuất” không phải chỉ tiêu chính thức. Dấu ? là chưa được đối chiếu với văn bản.",
)
_METHOD_EN = (
    "Now: time-weighted mean of today and yesterday, or the last reported value.",
    "Two numbers are the lower and the upper bound: what is unknown counts as absent, and as present.",
    "Met if the worse bound satisfies the target, not met if not even the better one does, else unknown.",
    "While most of the time satisfies the target, a short outage takes nothing away from `met`.",
    "Past due from the end of the due day (Vietnam time). Needed pace = gap / time left.",
    "Observed pace: least squares over 180 days; * is the slope between the last two values.",
    "Paces are for 30 days; of ratios in percentage points.",
    "What is `proposed` is not an official target. ? marks what nobody read in the act.",
)
SIMULATED = ("mô phỏng", "simulated")
WAS = ("Đến", "Until")
SERVICE = ("Đọc từ dịch vụ đang chạy ở {address}.", "Read from the service that runs on {address}.")
JOURNAL = (
    "Đọc từ nhật ký {path}: không có dịch vụ nào trả lời ở {address}.",
    "Read from the journal {path}: no service gave an answer on {address}.",
)
ASKED_JOURNAL = ("Đọc từ nhật ký {path}.", "Read from the journal {path}.")
REPORTS = (
    "Chỉ có số liệu báo cáo: không đọc được dịch vụ nào, cũng không có nhật ký nào.",
    "Only reported values: there is neither a service nor a journal to read from.",
)
REPORTED_BY = ("Số liệu báo cáo lấy từ", "Reported values are from")
METHOD = "\n".join(_METHOD_VI), "\n".join(_METHOD_EN)
DUE = {"monthly": ("hằng tháng", "monthly"), "yearly": ("hằng năm", "yearly"), "none": ("chưa có hạn", "no date")}


class Speech:
    """Says numbers in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._index = 0 if language is Language.VI else 1

    def of(self, words: tuple[str, str]) -> str:
        """One of a Vietnamese and an English word."""
        return words[self._index]

    def bounds(self, value: Value | None, unit: Unit, digits: int = 2) -> str:
        """One number, two bounds, or what is known of them."""
        if value is None or not (math.isfinite(value.lower) or math.isfinite(value.upper)):
            return self.of(("không rõ", "unknown"))
        low, high = (self.number(bound, unit, digits) for bound in (value.lower, value.upper))
        if low == high:
            return self._with_unit(low, unit)
        if not math.isfinite(value.upper):
            return f"≥ {self._with_unit(low, unit)}"
        if not math.isfinite(value.lower):
            return f"≤ {self._with_unit(high, unit)}"
        return self._with_unit(f"{low} – {high}", unit)

    def gap(self, gaps: tuple[float | None, float | None], unit: Unit, digits: int = 1) -> str:
        """What is missing, at least and at most, of a ratio in points of a per cent."""
        said = [self._rounded(gap, unit, digits) for gap in sorted(gap for gap in gaps if gap is not None)]
        if not said:
            return "–"
        text = " – ".join(dict.fromkeys(said))
        return f"{text} {self.of(('điểm', 'points'))}" if unit is Unit.RATIO else self._with_unit(text, unit)

    def pace(self, a_day: float | None, unit: Unit) -> str:
        """Change in 30 days."""
        if a_day is None:
            return "–"
        change = round(a_day * 30 * (100 if unit is Unit.RATIO else 1), 2)
        return f"{'+' if change > 0 else ''}{self._written(change, 2)}" if change else "0"

    def number(self, value: float, unit: Unit, digits: int = 2) -> str:
        """A number without its unit; shares are rounded down, so that 99.999 % is not 100 %."""
        if not math.isfinite(value):
            return "∞"
        if unit is Unit.RATIO:
            return self._written(floored(value, digits), digits)
        return self._written(value, 2)

    def day(self, day: date | None) -> str:
        """A date as it is written there."""
        if day is None:
            return "–"
        return f"{day:%d/%m/%Y}" if self.language is Language.VI else day.isoformat()

    def moment(self, moment: datetime) -> str:
        """A date and the time of day."""
        return f"{self.day(moment.date())} {moment:%H:%M}"

    def _rounded(self, gap: float, unit: Unit, digits: int) -> str:
        amount, least = gap * 100 if unit is Unit.RATIO else gap, 10.0**-digits
        if 1e-6 < amount < least:
            return _LEAST + self._written(least, digits)
        return self._written(amount, digits)

    def _with_unit(self, text: str, unit: Unit) -> str:
        return f"{text} {self.of(UNITS[unit])}".rstrip()

    def _written(self, amount: float, digits: int) -> str:
        """With as many decimals as needed, and with the comma for them, as Vietnamese has it."""
        text = f"{amount:,.{digits}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return text.translate(str.maketrans(",.", ".,")) if self.language is Language.VI else text
