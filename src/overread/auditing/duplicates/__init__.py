"""Copies: the same picture twice."""
