"""Exams: files and frames that belong together and are opened as one sequence of frames."""
