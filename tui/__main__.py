"""`python -m tui` is the command `hotpath`."""

from tui.command import main

main()
