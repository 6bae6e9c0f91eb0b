"""`python -m tui` is the command `hotpath`."""

from tui.start import main

main()
