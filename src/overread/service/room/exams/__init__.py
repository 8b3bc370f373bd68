"""Exams that come as files: gathered, read frame by frame, and kept while somebody looks at them."""
