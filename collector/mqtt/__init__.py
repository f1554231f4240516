"""MQTT as the `mqtt` kind speaks it: one lasting connection a target, and what was heard on it."""
