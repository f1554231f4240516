"""Grafana dashboards: definitions in YAML, composed, checked and written as JSON in Vietnamese and English."""
