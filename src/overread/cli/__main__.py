"""`python -m overread.cli` does what `overread` does."""

from overread.cli.program.run import main

if __name__ == "__main__":
    main()
