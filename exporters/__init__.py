"""What the collector knows, as Prometheus and people read it."""
