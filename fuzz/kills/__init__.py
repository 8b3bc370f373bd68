"""Commands that are killed, and tried again."""
