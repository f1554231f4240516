"""Rules of Prometheus and the configuration of Alertmanager, made from definitions, thresholds and the inventory."""
