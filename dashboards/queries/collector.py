"""The service itself: whether the picture can be believed."""

from __future__ import annotations

from dashboards.queries.query import Query
from dashboards.words import text

QUERIES = {
    "scraped": Query('min(up{job="hatang"})', "hatang"),
    "config-good": Query("min(hatang_config_last_reload_successful)", text("Cấu hình", "Configuration")),
    "config-age": Query("max(hatang_config_last_reload_success_timestamp_seconds) * 1000", text("Nạp lúc", "Loaded")),
    "config-warnings": Query("sum(hatang_config_warnings)", text("Lời nhắc", "Warnings")),
    "impaired": Query("hatang_observer_impaired", "{{cause}}"),
    "impaired-any": Query("max(hatang_observer_impaired)", text("Nơi quan sát bị suy yếu", "Observer impaired")),
    "targets-by-kind": Query("sum by (kind) (hatang_targets)", "{{kind}}"),
    "targets-total": Query("sum(hatang_targets)", text("Mục tiêu", "Targets")),
    "runs": Query("province:hatang_runs:rate5m", "{{outcome}}"),
    "runs-skipped": Query("province:hatang_runs_skipped:rate5m", text("Bỏ lượt", "Skipped")),
    "runs-late": Query("sum(rate(hatang_runs_late_total[$__rate_interval]))", text("Trễ", "Late")),
    "runs-error-ratio": Query(
        'sum(province:hatang_runs:rate5m{outcome="error"}) / sum(province:hatang_runs:rate5m)',
        text("Lỗi của giám sát", "Our own errors"),
    ),
    "in-flight": Query("sum(hatang_runs_in_flight)", text("Đang chạy", "In flight")),
    "waiting": Query("sum(hatang_runs_waiting)", text("Đang chờ", "Waiting")),
    "loop-lag": Query("max(hatang_event_loop_lag_seconds)", text("Độ trễ vòng lặp", "Loop lag")),
    "lateness": Query("max(hatang_schedule_lateness_seconds)", text("Trễ lịch", "Lateness")),
    "stalls": Query("sum(increase(hatang_event_loop_stalls_total[1h]))", text("Lần đứng", "Stalls")),
    "clock-jumps": Query("sum(increase(hatang_clock_jumps_total[1h]))", text("Đồng hồ nhảy", "Clock jumps")),
    "scrape-duration": Query('scrape_duration_seconds{job="hatang"}', text("Thu thập", "Scrape")),
    "series": Query("sum(hatang_exposed_series)", text("Chuỗi", "Series")),
    "journal-age": Query("time() - max(hatang_journal_saved_timestamp_seconds)", text("Sổ ghi lúc", "Journal saved")),
    "memory": Query('process_resident_memory_bytes{job="hatang"}', text("Bộ nhớ", "Memory")),
    "cpu": Query('rate(process_cpu_seconds_total{job="hatang"}[$__rate_interval])', text("CPU", "CPU")),
    "descriptors": Query('process_open_fds{job="hatang"}', text("Mô tả tệp", "Descriptors")),
    "descriptors-limit": Query('process_max_fds{job="hatang"}', text("Giới hạn", "Limit")),
    "traps-received": Query("sum by (trap) (increase(hatang_traps_received_total[$__rate_interval]))", "{{trap}}"),
    "traps-dropped": Query("sum by (reason) (increase(hatang_traps_dropped_total[$__rate_interval]))", "{{reason}}"),
    "failing-reasons": Query("count by (reason) (hatang_target_failure_info == 1)", "{{reason}}"),
    "stale-results": Query("sort_desc(topk(20, max by (target) (time() - hatang_run_timestamp_seconds)))"),
}
