"""What cells show: one class, findings of which each is there, absent or not known, or lists of these."""
