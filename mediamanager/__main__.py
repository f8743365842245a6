"""`python -m mediamanager` is the command line."""

from mediamanager.cli import main

if __name__ == "__main__":
    main()
