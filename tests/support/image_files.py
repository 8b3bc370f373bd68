"""Folders of small images made in code."""

from __future__ import annotations




