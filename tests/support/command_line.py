"""The command line as a user meets it."""

from __future__ import annotations




