"""The program around the commands: what it runs in, and how it ends."""
