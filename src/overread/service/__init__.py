"""The reading room: a page for people and an API for programs."""
