"""`python -m clickloop` is the command `clickloop`."""

from clickloop.cli import main

main()
