"""A simulated PostgreSQL server: protocol 3.0, as far as clients that only read need it."""
