"""Runs a Python program in which ``import locust`` means Acrida: ``python -m acrida.script PROGRAM [ARGUMENT …]``."""

import os
import runpy
import sys


def main() -> None:
    """Runs the program that the command line names, as if Python had been started with it."""
    if len(sys.argv) < 2 or not os.path.isfile(sys.argv[1]):
        named = f"{sys.argv[1]} is no file" if len(sys.argv) > 1 else "no program is named"
        sys.exit(f"acrida.script: {named}; usage: python -m acrida.script PROGRAM [ARGUMENT …]")
    del sys.argv[0]
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    import acrida.as_locust  # noqa: F401

    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
