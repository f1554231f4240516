"""A simulated MQTT broker, and the simulated stations that send to it."""
