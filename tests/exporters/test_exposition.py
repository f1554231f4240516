"""The sample table: what is put is what Prometheus and prometheus_client read back."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from collector.model import Metric, MetricType, Sample
from exporters.exposition import Exposition

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,12}x", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.floats(allow_nan=True, allow_infinity=True)


@st.composite
def metrics(draw: st.DrawFn) -> Metric:
    kind = draw(st.sampled_from(MetricType))
    suffix = {MetricType.COUNTER: "_total", MetricType.INFO: "_info"}.get(kind, "")
    labels = draw(st.lists(NAMES, max_size=3, unique=True))
    return Metric(draw(NAMES) + suffix, draw(TEXTS), kind, tuple(labels))


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Sample]]:
    families = draw(st.lists(metrics(), min_size=1, max_size=5, unique_by=lambda metric: metric.name.rsplit("x")[0]))
    table = {}
    for owner in draw(st.lists(TEXTS.filter(bool), max_size=4, unique=True)):
        table[owner] = [
            Sample(metric, tuple(draw(TEXTS) for _ in metric.labels), _valid(metric, draw(VALUES)))
            for metric in draw(st.lists(st.sampled_from(families), max_size=6))
        ]
    return table


def _valid(metric: Metric, value: float) -> float:
    if metric.type is MetricType.INFO:
        return 1.0
    if metric.type is MetricType.COUNTER:
        return 0.0 if math.isnan(value) else abs(value)
    return value


def _expected(table: dict[str, list[Sample]]) -> dict[tuple[str, frozenset[tuple[str, str]]], str]:
    return {
        (
            sample.metric.name,
            frozenset([("target", owner), *zip(sample.metric.labels, sample.labels, strict=True)]),
        ): repr(sample.value)
        for owner, samples in table.items()
        for sample in samples
    }


def _filled(table: dict[str, list[Sample]]) -> Exposition:
    exposition = Exposition()
    for owner, samples in table.items():
        exposition.put(owner, (("target", owner),), samples)
    return exposition


@given(tables())
def test_text_reads_back_exactly(table: dict[str, list[Sample]]) -> None:
    families = parse_text(_filled(table).render().decode())
    read = {
        (sample.name, frozenset(sample.labels.items())): repr(float(sample.value))
        for family in families
        for sample in family.samples
    }
    assert read == _expected(table)


@given(tables())
def test_openmetrics_reads_back_exactly(table: dict[str, list[Sample]]) -> None:
    families = parse_openmetrics(_filled(table).render(openmetrics=True).decode() + "# EOF\n")
    read = {
        (sample.name, frozenset(sample.labels.items())): repr(float(sample.value))
        for family in families
        for sample in family.samples
    }
    assert read == _expected(table)


def _sample_lines(exposition: Exposition) -> list[bytes]:
    return sorted(line for line in exposition.render().split(b"\n") if not line.startswith(b"#"))


@given(tables(), tables())
def test_only_the_last_put_of_an_owner_counts(first: dict[str, list[Sample]], second: dict[str, list[Sample]]) -> None:
    exposition = _filled(first)
    for owner in first.keys() - second.keys():
        exposition.drop(owner)
    for owner, samples in second.items():
        exposition.put(owner, (("target", owner),), samples)
    fresh = _filled(second)
    assert _sample_lines(exposition) == _sample_lines(fresh)
    assert exposition.series == fresh.series == len(_expected(second))


UP = Metric("probe_success", "Whether it works.")


def test_a_dropped_owner_leaves_no_line_and_no_header() -> None:
    exposition = Exposition()
    exposition.put("a", (("target", "a"),), [Sample(UP, (), 1)])
    exposition.drop("a")
    exposition.drop("never there")
    assert exposition.render() == b""
    assert exposition.series == 0


def test_a_hostile_label_forges_no_line() -> None:
    exposition = Exposition()
    name = Metric("sys_info", "Its name.", labels=("name",))
    exposition.put("a", (), [Sample(name, ('x"} 1\nprobe_success{target="b"} 1\n#\\',), 1)])
    families = list(parse_text(exposition.render().decode()))
    assert [family.name for family in families] == ["sys_info"]
    assert len(families[0].samples) == 1


def test_families_are_contiguous() -> None:
    exposition = Exposition()
    other = Metric("probe_duration_seconds", "How long.")
    for owner in "abc":
        exposition.put(owner, (("target", owner),), [Sample(UP, (), 1), Sample(other, (), 0.5)])
    names = [line.split(b"{")[0] for line in exposition.render().splitlines() if not line.startswith(b"#")]
    assert names == [b"probe_duration_seconds"] * 3 + [b"probe_success"] * 3


def test_one_owner_alone_is_rendered_for_probe() -> None:
    exposition = Exposition()
    for owner in "ab":
        exposition.put(owner, (("target", owner),), [Sample(UP, (), 1)])
    assert (
        exposition.render_owner("b")
        == b'# HELP probe_success Whether it works.\n# TYPE probe_success gauge\nprobe_success{target="b"} 1.0\n'
    )


def test_promtool_accepts_the_text(real: Callable[[str], str]) -> None:
    promtool = real("promtool")
    exposition = Exposition()
    runs = Metric("hatang_runs_total", "Runs.", MetricType.COUNTER, ("outcome",))
    exposition.put("a", (("target", 'a\\b"c\nd'),), [Sample(UP, (), math.nan), Sample(runs, ("ok",), 1e300)])
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=exposition.render(), capture_output=True, check=False
    )
    assert checked.returncode == 0, checked


def test_a_label_that_is_named_anew_shows_its_new_name() -> None:
    """The same family and value under another label name is another series."""
    exposition = Exposition()
    for name in ("floor", "rack"):
        exposition.put("t", (), [Sample(Metric("hatang_target_info", "", MetricType.INFO, (name,)), ("R1",), 1)])
    assert exposition.render().endswith(b'\nhatang_target_info{rack="R1"} 1.0\n')
