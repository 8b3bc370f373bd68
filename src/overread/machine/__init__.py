"""The computer: files, places, threads, the terminal, and results that are kept for a while."""
