"""The simulated mobile networks of the province: made up where nobody gave anything, as much as the report counts."""
