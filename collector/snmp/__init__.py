"""SNMP over gufo-snmp: warm sessions, and reading them with the guards that the library lacks."""
