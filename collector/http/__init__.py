"""HTTP as probes speak it: one visit at a time, over a connection that we dial."""
