"""Devices polled by SNMP: credentials, warm sessions, and tables read with our own guards."""

import os

# The decoder panics on some hostile packets. We go on; looking up a backtrace each time would hold the loop.
os.environ["RUST_BACKTRACE"] = "0"
