"""The faults of mobile networks and of what their operators say of them, one function each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from collector.demo.effects import Do, Effect
from collector.demo.mobile.network import MOBIFONE, VIETNAMOBILE, VIETTEL, VINAPHONE
from collector.demo.mobile.outlook import NODE_MASTS
from collector.demo.mobile.rows import Twist
from collector.demo.roles import LASTS, Casting, Happening, NothingFits
from collector.demo.shows import Show, series
from collector.intake.guards import Guard
from collector.model import Target
from collector.records import Dataset, Technology
from collector.sources.feed import FeedSpec

if TYPE_CHECKING:
    from collector.demo.casting import Cast

# Coverage is counted so soon after a feed has told something new.
COUNTED_WITHIN = 3.0
# A counter is looked at over so many seconds, which hold some scrapes.
WINDOW = 20.0
# What goes stale is believed for a while, and lasts so much longer.
BELIEVED = 20.0
BOUNDS = ("lower", "upper")


def _feed(cast: Cast, operator: str, path: str) -> Target:
    """The feed of an operator whose URL ends so; takes its host. Raises NothingFits."""
    feeds = [target for target in cast.targets.values() if isinstance(target.spec, FeedSpec)]
    fit = [one for one in feeds if _spec(one).operator == operator and _url(one).endswith(path)]
    return cast.pick(fit, lambda target: str(_spec(target).source.url.host))


def _spec(target: Target) -> Any:
    return target.spec


def _url(target: Target) -> str:
    return str(_spec(target).source.url)


def _seen(target: Target) -> float:
    """Seconds until what a feed tells is counted."""
    return target.interval + COUNTED_WITHIN


def _spoilt(
    target: Target, twist: Twist, guard: Guard, *shows: Show, keeps: tuple[Show, ...] = (), late: float = 0.0
) -> Casting:
    """A feed whose batches are refused by a guard, from `late` seconds on; the last good one stays in place."""
    name, operator = target.id, _spec(target).operator
    refused = series("hatang_feed_refused_total", target=name, operator=operator, guard=guard.value)
    return Casting(
        name,
        (name,),
        (Effect(Do.SPOIL, _url(target), twist.value),),
        (
            Show(series("hatang_target_failure_info", target=name, reason="unexpected"), "==", 1, confirmed=late),
            Show(f"increase({refused}[{WINDOW:g}s])", ">", 0, confirmed=WINDOW / 2 + late, recovered=WINDOW),
            *shows,
        ),
        failing=(name,),
        keeps=keeps,
        polled_within=_seen(target),
        late=late,
    )


def _cells(operator: str, technology: Technology, state: str) -> str:
    return series("hatang_cells", operator=operator, technology=technology.value, state=state)


def _aged(cast: Cast, target: Target, technology: Technology) -> Show:
    """All stations of a technology are unknown once the last good batch is too old."""
    operator, oldest = _spec(target).operator, _spec(target).oldest
    counted = Counter(station.technology for station in cast.mobile.network.of(operator))
    return Show(_cells(operator, technology, "unknown"), "==", counted[technology], confirmed=oldest)


def _held(cast: Cast, target: Target, *technologies: Technology) -> Show:
    """The stations of the last good batch stay in place."""
    operator = _spec(target).operator
    number = sum(station.technology in technologies for station in cast.mobile.network.of(operator))
    return Show(series("hatang_feed_records", target=target.id, operator=operator), "==", number)


def _known(operator: str) -> Show:
    """Another feed of the operator still tells how the stations are."""
    return Show(_cells(operator, Technology.G4, "unknown"), "==", 0)


def _stale(cast: Cast) -> Casting:
    target = _feed(cast, VIETNAMOBILE, "/tram.xlsx")
    nothing = series("hatang_operator_coverage_ratio", operator=VIETNAMOBILE, technology="4G", bound="lower")
    return _spoilt(
        target,
        Twist.STALE,
        Guard.AGE,
        _aged(cast, target, Technology.G4),
        Show(nothing, "==", 0, confirmed=_spec(target).oldest),
        keeps=(_held(cast, target, *Technology),),
        late=_spec(target).oldest,  # until then nobody can tell it from an operator where nothing happens
    )


def _login_page(cast: Cast) -> Casting:
    target = _feed(cast, VINAPHONE, "/tram-4g-5g.csv")
    return _spoilt(
        target,
        Twist.LOGIN,
        Guard.SHAPE,
        _aged(cast, target, Technology.G4),
        keeps=(_held(cast, target, Technology.G4, Technology.G5),),
    )


def _cut(cast: Cast) -> Casting:
    target = _feed(cast, VIETTEL, "/4g/tmf-api/resourceInventory/v5/resource")
    return _spoilt(target, Twist.CUT, Guard.ROWS, keeps=(_held(cast, target, Technology.G4), _known(VIETTEL)))


def _doubled(cast: Cast) -> Casting:
    target = _feed(cast, VINAPHONE, "/tram-3g.csv")
    aged = _aged(cast, target, Technology.G3)
    made = _spoilt(target, Twist.DOUBLED, Guard.DUPLICATES, aged, keeps=(_held(cast, target, Technology.G3),))
    # Its system is degraded by it too, but no state is promised of one that the login page degrades meanwhile.
    return replace(made, failing=())


def _moved(cast: Cast) -> Casting:
    target = _feed(cast, MOBIFONE, "/collections/tram/items")
    return _spoilt(target, Twist.MOVED, Guard.MOVED, keeps=(_held(cast, target, *Technology), _known(MOBIFONE)))


def _node(cast: Cast) -> Casting:
    target = _feed(cast, MOBIFONE, "/mat-song.csv")
    mast, losses = next(cast.mobile.nodes(cast.mobile.network.within(cast.dark), cast.chance), (None, {}))
    if mast is None:
        raise NothingFits
    return Casting(
        f"{MOBIFONE} {mast.number}",
        (),
        (Effect(Do.NODE, MOBIFONE, str(mast.number), NODE_MASTS),),
        (
            Show(series("hatang_sites", operator=MOBIFONE, state="down"), ">=", NODE_MASTS),
            *(Show(_villages(code, "4G", "upper"), "==", left) for code, left in sorted(losses.items())),
        ),
        keeps=(_known(MOBIFONE),),
        polled_within=_seen(target),
    )


def _villages(commune: str, technology: str, bound: str) -> str:
    return series("hatang_villages_covered", commune=commune, technology=technology, bound=bound)


def _blackout(cast: Cast) -> Casting:
    commune = cast.dark
    feeds = [target for target in cast.targets.values() if isinstance(target.spec, FeedSpec)]
    oldest = max(_spec(target).oldest for target in feeds if _spec(target).dataset is Dataset.CELLS)
    return Casting(
        commune,
        (),
        (Effect(Do.BLACKOUT, commune),),
        # Another fault may have silenced an operator: what it said last is believed for a while, and then at most.
        tuple(Show(_villages(commune, one, "lower"), "==", 0, confirmed=oldest) for one in ("3G", "4G")),
        polled_within=max(map(_seen, feeds)),
    )


def _zone_on(cast: Cast) -> Casting:
    target = _feed(cast, VIETTEL, "/5g/tmf-api/resourceInventory/v5/resource")
    category, before = cast.mobile.coming
    number = sum(station.technology is Technology.G5 for station in cast.mobile.network.of(VIETTEL))
    return Casting(
        cast.mobile.network.coming_at,
        (target.id,),
        (Effect(Do.SWITCH_ON, cast.mobile.network.coming_at),),
        (
            *_zones(category, before + 1),
            Show(series("hatang_feed_records", target=target.id, operator=VIETTEL), "==", number + 1),
        ),
        polled_within=_seen(target),
    )


def _zones(category: str, number: int) -> Iterator[Show]:
    for bound in BOUNDS:
        yield Show(series("hatang_zones_covered", category=category, technology="5G", bound=bound), "==", number)


MOBILE = (
    Happening("transmission-node-down", "Mất một nút truyền dẫn, 60 trạm mất sóng", "Transmission node down", _node),
    Happening("district-blackout", "Mất điện cả một xã", "Power cut in a whole commune", _blackout),
    Happening(
        "feed-stale",
        "Nguồn dữ liệu nhà mạng ngừng cập nhật",
        "Operator's feed goes stale",
        _stale,
        lasts=LASTS + BELIEVED,
    ),
    Happening("feed-login-page", "Nguồn dữ liệu trả về trang đăng nhập", "Feed turns into a login page", _login_page),
    Happening("feed-cut", "Nguồn dữ liệu chỉ còn một phần mười", "Feed cut to a tenth", _cut),
    Happening("feed-doubled", "Nguồn dữ liệu lặp dòng", "Feed doubles its rows", _doubled),
    Happening("feed-moved", "Nguồn dữ liệu sai tọa độ", "Feed moves its coordinates", _moved),
    Happening("zone-on-air", "Một cụm công nghiệp mới có 5G", "New 5G zone switched on", _zone_on),
)
