"""Reading exams: all frames of one, pooled into one answer."""
