"""Commands that have more to them than a few lines, by what they are about."""
