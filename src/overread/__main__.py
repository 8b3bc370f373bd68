"""`python -m overread` does what `overread` does."""

import sys


def main() -> None:
    """Load the command line and run it."""
    try:
        from overread.cli import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
