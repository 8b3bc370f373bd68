"""Whole slides: told by their first bytes, read in tiles at a resolution, where there is tissue."""

from overread.formats.slides.slide_format import SLIDES

__all__ = ["SLIDES"]
