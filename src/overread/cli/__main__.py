"""`python -m overread.cli` does what `overread` does."""

from overread.cli.commands import main

main()
