"""Masks, label maps and overlays among the images."""
