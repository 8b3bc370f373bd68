"""A page taken apart."""

from __future__ import annotations




