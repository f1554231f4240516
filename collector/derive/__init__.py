"""Figures from state and inventory: pure functions, no clock and no memory of their own."""
