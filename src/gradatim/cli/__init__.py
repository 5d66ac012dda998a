"""The command line: one command a file, loaded when it is used."""

from gradatim.cli.main import main

__all__ = ["main"]
