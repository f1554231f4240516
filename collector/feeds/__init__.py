"""The kinds that read what somebody else measured, one file a format. They only translate."""
