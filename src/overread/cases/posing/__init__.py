"""Which task labels pose, or how they fit one that was trained: classes, findings, grades, several at once."""
