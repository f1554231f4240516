"""Simulated SNMP devices: servers, storage, switches, UPS, sensors and power plants."""
