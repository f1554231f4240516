"""Words, numbers and times of reports as people read them: Vietnamese first, English beside it."""

from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo

from collector.model import Basis, SystemState, Verdict

STATES = {
    SystemState.UP: ("Hoạt động", "up"),
    SystemState.DEGRADED: ("Suy giảm", "degraded"),
    SystemState.DOWN: ("Ngừng", "down"),
    SystemState.UNREACHABLE: ("Không tới được", "unreachable"),
    SystemState.MAINTENANCE: ("Bảo trì", "maintenance"),
    SystemState.UNKNOWN: ("Không rõ", "unknown"),
}
MEANINGS = {
    SystemState.UP: ("Mục tiêu bắt buộc đều tốt.", "Its required targets are well."),
    SystemState.DEGRADED: (
        "Mục tiêu bắt buộc tốt, mục tiêu phụ trợ ngừng: vẫn tính là hoạt động.",
        "Its required targets are well, a supporting one is down: counts as available.",
    ),
    SystemState.DOWN: (
        "Lỗi của chính hệ thống: tính vào thời gian ngừng của chủ quản.",
        "The fault is its own: it counts against its owner.",
    ),
    SystemState.UNREACHABLE: (
        "Lỗi ở nơi khác: người dùng mất dịch vụ, nhưng không tính cho chủ quản, không cảnh báo riêng.",
        "The fault lies elsewhere: users go without, but its owner is not blamed, and it has no alert of its own.",
    ),
    SystemState.MAINTENANCE: (
        "Có kế hoạch: vẫn được đo, không tính là hoạt động cũng không tính là ngừng.",
        "Planned: it is polled all the same, and counts neither as up nor as down.",
    ),
    SystemState.UNKNOWN: (
        "Không biết được, nên không tính là hoạt động cũng không tính là ngừng.",
        "We cannot tell, so it counts neither as up nor as down.",
    ),
}
VERDICTS = {Verdict.UP: ("tốt", "up"), Verdict.DOWN: ("ngừng", "down"), Verdict.UNKNOWN: ("không rõ", "unknown")}
BASES = {
    Basis.LAW: ("Luật, quyết định", "law"),
    Basis.PLAN: ("Kế hoạch", "plan"),
    Basis.SEED: ("Báo cáo của tỉnh", "the province's report"),
    Basis.PROPOSED: ("Đề xuất, chưa chính thức", "proposed, not official"),
}
DUE = {"monthly": ("tháng", "month"), "yearly": ("năm", "year")}
# Beside a share: no act sets it.
PROPOSED_MARK = "°"
INSUFFICIENT = (
    "* Dưới 99 % thời gian được quan sát: con số chỉ để tham khảo.",
    "* Less than 99 % of the time was observed: indicative only.",
)
_METHOD_VI = (
    "Cách tính (giờ {zone}): thời gian của từng trạng thái lấy từ nhật ký thay đổi trạng thái.",
    "Khả dụng với người dùng = (hoạt động + suy giảm) / (hoạt động + suy giảm + ngừng + không tới được).",
    "Khả dụng theo trách nhiệm chủ quản: như trên, không tính thời gian không tới được (lỗi ở nơi khác).",
    "Thời gian bảo trì và không rõ không nằm trong hai tỷ lệ này. Lúc dịch vụ giám sát không chạy là không rõ.",
    "Quan sát = thời gian biết rõ trạng thái / cả kỳ. Thời gian trước khi hệ thống được biết đến nằm ngoài kỳ.",
    "Bảo trì nhập muộn chỉ tính từ lúc nhập. Điều chỉnh đứng cạnh số đo, không xóa số đo. Phần trăm làm tròn xuống.",
)
_METHOD_EN = (
    "Method ({zone} time): time in each state is taken from the journal of state changes.",
    "Availability for users = (up + degraded) / (up + degraded + down + unreachable).",
    "Availability for the owner: the same without unreachable (the fault lies elsewhere).",
    "Maintenance and unknown are in neither ratio. Time when the monitoring service did not run is unknown.",
    "Observed = time of which the state is known / whole window. Time before a system was known is outside the window.",
    "Maintenance entered late counts from its entry. Corrections stand beside what was measured. Shares are floored.",
)


def method(zone: ZoneInfo) -> tuple[str, str]:
    """How the figures are made, in Vietnamese and in English."""
    return "\n".join(_METHOD_VI).format(zone=zone.key), "\n".join(_METHOD_EN).format(zone=zone.key)


def percent(share: float | None, digits: int = 3) -> str:
    """A share in per cent, rounded down: 99.9999 % must not read 100 %."""
    return "–" if share is None else f"{floored(share, digits):.{digits}f} %"


def floored(share: float, digits: int) -> float:
    """Per cent of a share, rounded down."""
    scale = 10.0**digits
    # What binary fractions take away in the 9th place is given back first.
    return math.floor(round(share * 100 * scale, 6)) / scale


def lasting(seconds: float) -> str:
    """A duration by its two largest units: 3d 04h, 2h 05m, 7m 30s, 12s."""
    whole = round(seconds)
    days, rest = divmod(whole, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    if days:
        return f"{days}d {hours:02}h"
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {left:02}s" if minutes else f"{left}s"


def local(moment: float, zone: ZoneInfo) -> str:
    """A moment by the clock on the wall."""
    return datetime.fromtimestamp(moment, zone).strftime("%Y-%m-%d %H:%M:%S")


def iso(moment: float, zone: ZoneInfo) -> str:
    """A moment with its offset, for programs."""
    return datetime.fromtimestamp(moment, zone).isoformat(timespec="milliseconds")
