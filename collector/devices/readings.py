"""An object of a profile, compiled once: takes a raw answer and emits samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite

from collector.devices.objects import Extract, ScaleFrom, Value
from collector.devices.values import EXACT, NUMBERS, TEXTS, Raw, bits, date_text, number, text
from collector.model import Emit, Metric, MetricType

# A factor is kept as (multiplier, divisor): 273 / 10 is 27.3, while 3 * 0.1 is 0.30000000000000004.
Factor = tuple[float, float]
ONE: Factor = (1.0, 1.0)
_SMALLEST = 1e-300  # the reciprocal of a smaller one may be none
Record = Callable[[Raw, tuple[str, ...], Factor, Emit], bool]


@dataclass(frozen=True, slots=True)
class Reading:
    """`record(raw, labels, factor, emit)` emits samples; False when the answer is not what the profile says."""

    oid: str
    metric: Metric
    record: Record
    factors: tuple[ScaleFrom, ...]


def compiled(value: Value, labels: tuple[str, ...]) -> Reading:
    """`value` of a row with these label names."""
    own = value.own_label
    metric = Metric(value.name, described(value), _type(value), labels if own is None else (*labels, own))
    return Reading(value.oid, metric, _record(value, metric), value.scale_from)


def described(value: Value) -> str:
    """Help, with the meaning of plain numbers that stand for states."""
    if value.enum is None or value.own_label is not None:
        return value.help
    return f"{value.help} {', '.join(f'{key}: {name}' for key, name in value.enum.items())}."


def _type(value: Value) -> MetricType:
    if value.type == "info":
        return MetricType.INFO
    if value.type == "counter":
        return MetricType.COUNTER if value.name.endswith("_total") else MetricType.UNKNOWN
    return MetricType.UNKNOWN if value.type == "unknown" else MetricType.GAUGE


def _record(value: Value, metric: Metric) -> Record:
    if value.type == "states":
        return _bits(value, metric) if value.reads == "bits" else _states(value, metric)
    return _info(value, metric) if value.type == "info" else _number(value, metric)


def as_ratio(factor: float) -> Factor:
    """`factor` as multiplier and divisor: 0.001 becomes (1, 1000)."""
    if _SMALLEST < abs(factor) < 1 and abs(round(1 / factor) * factor - 1) < 1e-12:
        return 1.0, float(round(1 / factor))
    return factor, 1.0


def factor_of(sources: tuple[ScaleFrom, ...], answers: Callable[[str], Raw | None]) -> Factor | None:
    """Product of the factors that other objects hold; None when one is not known, or is 0 where it divides.

    `answers(oid)` is the raw answer of that object in the same row, or None.
    """
    multiplier, divisor = ONE
    for source in sources:
        factor = _one_factor(source, answers(source.oid))
        if factor is None:
            return None
        times, over = as_ratio(factor)
        if source.divide:
            times, over = over, times
        multiplier, divisor = multiplier * times, divisor * over
    return (multiplier, divisor) if divisor else None


def _one_factor(source: ScaleFrom, raw: Raw | None) -> float | None:
    if raw is None:
        return source.otherwise
    if source.map is not None:
        return source.map.get(text(raw), source.otherwise)
    try:
        return number(raw)
    except ValueError:
        return source.otherwise


def _number(value: Value, metric: Metric) -> Record:
    convert = _converter(value)

    def record(raw: Raw, labels: tuple[str, ...], factor: Factor, emit: Emit) -> bool:
        try:
            result = convert(raw, factor)
        except ValueError:
            return False
        if result is not None:
            emit(metric, result, *labels)
        return True

    def plain(raw: Raw, labels: tuple[str, ...], factor: Factor, emit: Emit) -> bool:
        if raw.__class__ is int:
            emit(metric, raw, *labels)
            return True
        return record(raw, labels, factor, emit)

    simple = value.reads == "number" and value.type != "counter" and not value.scale_from
    return record if not simple or _has_options(value) else plain


def _has_options(value: Value) -> bool:
    return bool(value.scale != 1 or value.offset or value.unsigned or value.absent or value.extract)


def _converter(value: Value) -> Callable[[Raw, Factor], float | None]:
    read, is_absent = _reader(value), absence(value.absent)
    times, over = as_ratio(value.scale)
    offset, unsigned, counter = value.offset, value.unsigned, value.type == "counter"

    def convert(raw: Raw, factor: Factor) -> float | None:
        if is_absent is not None and is_absent(raw):
            return None
        result = read(raw)
        if unsigned and result < 0:
            result += 2**32
        if counter and result > EXACT:
            result %= EXACT
        result = result * (times * factor[0]) / (over * factor[1]) + offset
        if not isfinite(result):
            raise ValueError("out of range")
        return result

    return convert


def _reader(value: Value) -> Callable[[Raw], float]:
    if value.extract:
        read = TEXTS.get(value.reads, text)
        return lambda raw: _extracted(read(raw), value.extract)
    if value.date_format is not None:
        return date_text(value.date_format)
    return NUMBERS[value.reads]


def _extracted(words: str, rules: tuple[Extract, ...]) -> float:
    for rule in rules:
        match = rule.regex.search(words)
        if match is not None:
            group = rule.value.removeprefix("$")
            return float(rule.value) if group == rule.value else number((match.group(int(group)) or "").encode())
    raise ValueError("no expression matches")


def absence(absent: tuple[int | float | str, ...]) -> Callable[[Raw], bool] | None:
    """Whether an answer means `no value`; None when none does."""
    if not absent:
        return None
    words = frozenset(each for each in absent if isinstance(each, str))
    numbers = frozenset(each for each in absent if not isinstance(each, str))

    def is_absent(raw: Raw) -> bool:
        return text(raw) in words if isinstance(raw, (bytes, str)) else raw in numbers

    return is_absent


def named(syntax: str, enum: Mapping[str, str] | None) -> Callable[[Raw], str]:
    """Reads an answer to a text; with `enum`, to the name it gives the answer. Raises ValueError."""
    read: Callable[[Raw], str] = TEXTS[syntax] if syntax in TEXTS else lambda raw: f"{number(raw):.17g}"
    return read if enum is None else lambda raw: enum.get(key := read(raw), key)


def _states(value: Value, metric: Metric) -> Record:
    read, is_absent = named(value.reads, value.enum), absence(value.absent)
    states = tuple(dict.fromkeys((value.enum or {}).values()))

    def record(raw: Raw, labels: tuple[str, ...], _factor: Factor, emit: Emit) -> bool:
        if is_absent is not None and is_absent(raw):
            return True
        try:
            now = read(raw)
        except ValueError:
            return False
        for state in states if now in states else (*states, now):
            emit(metric, state == now, *labels, state)
        return True

    return record


def _bits(value: Value, metric: Metric) -> Record:
    names = [(int(bit), name) for bit, name in (value.enum or {}).items()]

    def record(raw: Raw, labels: tuple[str, ...], _factor: Factor, emit: Emit) -> bool:
        try:
            on = bits(raw)
        except ValueError:
            return False
        for bit, name in names:
            emit(metric, bit in on, *labels, name)
        return True

    return record


def _info(value: Value, metric: Metric) -> Record:
    read, is_absent = named(value.reads, value.enum), absence(value.absent)

    def record(raw: Raw, labels: tuple[str, ...], _factor: Factor, emit: Emit) -> bool:
        try:
            words = read(raw)
        except ValueError:
            return False
        if words and not (is_absent is not None and is_absent(raw)):
            emit(metric, 1, *labels, words)
        return True

    return record
