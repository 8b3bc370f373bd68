"""Exams: images that belong together and have one answer."""
