"""The work behind page and API."""
