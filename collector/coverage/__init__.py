"""From the state of base stations to who has signal: pure functions over arrays. Loaded with the first cells."""
