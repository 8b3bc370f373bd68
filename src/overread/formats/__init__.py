"""Image files: which there are, what their headers say, how they are decoded."""
