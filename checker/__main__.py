"""`python -m checker` is the command `quorate`, for trees that are not installed."""

from checker.cli import main

if __name__ == "__main__":
    main()
