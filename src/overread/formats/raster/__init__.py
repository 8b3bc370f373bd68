"""PNG, JPEG, TIFF, BMP and WebP: how each is told, what its header says, and its pixels."""

from overread.formats.raster.raster_formats import RASTER_FORMATS

__all__ = ["RASTER_FORMATS"]
