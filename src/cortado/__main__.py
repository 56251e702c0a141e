"""`python -m cortado`."""

from cortado.cli import main

main()
