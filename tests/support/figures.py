"""What tests of figures draw and look for."""

from __future__ import annotations





