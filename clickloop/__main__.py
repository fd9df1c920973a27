"""`python -m clickloop` is the command `clickloop`."""

from clickloop.cli.main import main

main()
