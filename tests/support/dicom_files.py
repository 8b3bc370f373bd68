"""DICOM files made in code."""

from __future__ import annotations



