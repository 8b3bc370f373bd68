"""The computer: files, places, threads, and what is remembered."""
