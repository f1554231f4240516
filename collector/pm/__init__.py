"""Performance files of mobile networks as 3GPP writes them (TS 32.435, TS 28.532): read, and made downtime of."""
