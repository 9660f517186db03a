"""`python -m outgate` is the `outgate` command."""

from outgate.cli.main import main

if __name__ == "__main__":
    main()
